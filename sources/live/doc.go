// Package live gets responses from a running mesh: from a cluster through its API
// server ([Cluster]), or from a list of addresses ([Direct]). Both are a
// transport.Source.
//
// The package finds istiods and proxies, and their ports. It defines the allowed
// requests, the deadlines, and the ways to reach a pod. How a connection reaches
// a pod is up to a [Dialer]. The package doesn't parse responses, except for
// those parts of pods that it needs to send requests to their proxies.
//
// # Effects on a mesh
//
// The package only reads. It checks each request against a list of allowed
// requests, and refuses any other request before anything is sent. No allowed
// request changes a proxy, makes istiod push, or empties a cache. The only
// exception is the method SetLevel, which sets the level of an Envoy's loggers.
// An Envoy gets one request at a time, because it responds on the same thread
// that applies its configuration.
//
// # Time
//
// Every wait for a server has a deadline. Waiting in a queue doesn't count: a
// deadline begins when a connection is established. The caller provides the
// deadlines as a [Timeout]; the package itself uses no clock.
package live
