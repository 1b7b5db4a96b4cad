// Package live gets responses from a running mesh: from a cluster through its API
// server ([Cluster]), or from given addresses ([Direct]). Both are a
// transport.Source.
//
// The package knows how to find istiods and proxies, their ports, the allowed
// requests, the deadlines, and the ways to reach a pod. It doesn't know how a
// connection reaches a pod, which is up to a [Dialer], or what a response
// contains. It reads only those parts of pods that it needs to send requests to
// their proxies.
//
// # Effects on a mesh
//
// The package only reads. It checks each request against a list of allowed
// requests, and refuses any other request before anything is sent. No allowed
// request changes a proxy, makes istiod push, or empties a cache. The only
// exception has a method of its own: SetLevel sets the level of an Envoy's
// loggers. An Envoy gets one request at a time, because it responds on the same
// thread that applies its configuration.
//
// # Time
//
// Every wait has a deadline. Waiting in a queue doesn't count: a deadline begins
// when a connection is established. The caller provides the deadlines as a
// [Timeout]; the package doesn't use a clock itself.
package live
