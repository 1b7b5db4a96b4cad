// Package apiserver is a small Kubernetes API server over objects in memory. It
// serves an istiod that a prediction starts: what a mesh's own istiod reads from
// its API server, with or without a change.
//
// The package knows the resources that istiod watches, and of the protocol what
// client-go's informers use: get, list and watch, with label and field selectors,
// objects or only their metadata, and initial events in a watch. Writes are
// answered as if they were done, and forgotten. The server listens on loopback,
// and answers only requests with its token.
//
// It is also an HTTP proxy that refuses all connections: istiod fetches signing keys
// (jwksUri) through the proxy of its environment, so none of these requests leaves
// the machine. [Server.Blocked] lists them.
//
// The package doesn't know what the objects mean. It is hand-written because a
// kube-apiserver needs etcd and 100 MB, and client-go's fake clients serve no
// HTTP. Its connections are served with net/http's parser of requests, but not with
// net/http's server, which adds 300 kB to the plugin.
//
// Start with server.go.
package apiserver
