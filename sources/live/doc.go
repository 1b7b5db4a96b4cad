// Package live gets answers from a running mesh: from a cluster through its API
// server ([Cluster]), or from given addresses ([Direct]). Both are a
// transport.Source.
//
// The package knows where istiods and proxies are and on which ports they answer,
// which requests are allowed, the deadlines, and the ways to reach a pod. It doesn't
// know how a connection reaches a pod (that is up to a [Dialer]), nor what an answer
// contains. It reads from pods only what it needs for asking their proxies.
//
// # What it does to a mesh
//
// It only reads. Each request is checked against a list of allowed ones, and any
// other is refused before something is sent. No allowed request changes a proxy,
// makes istiod push, or empties a cache. The one exception has a method of its own:
// SetLevel sets the level of an Envoy's loggers. An Envoy gets one request at a
// time, since it answers on the thread that also applies its configuration.
//
// # Time
//
// Every wait has a deadline, and waiting in a queue doesn't count: deadlines begin
// when a connection is established. The caller provides them as a [Timeout]; the
// package doesn't use a clock itself.
package live
