// Package live is where answers come from when nothing was recorded: a running
// cluster, by way of its API server ([Cluster]), or addresses that somebody
// names ([Direct]). Both are a transport.Source.
//
// This room knows where istiods and proxies are found and on which ports they
// answer, what may be asked of them and what never is, how long an answer is
// waited for, and which ways lead to a pod. It does not know how a connection
// gets to a pod (a [Dialer] does), nor what an answer says; of pods it reads
// no more than it needs to ask the others.
//
// # What it does to a mesh
//
// It reads. Whatever the caller wants asked is held against a list, and what
// is not on it is refused here, before anything is sent: nothing changes a
// proxy, makes istiod push, or empties a cache. The one exception has a method
// of its own: SetLevel sets how much a logger of an Envoy says. An Envoy is asked one thing at
// a time, since it answers on the thread that also takes its configuration.
//
// # Time
//
// Nothing is waited for without end, and waiting for a turn doesn't count:
// deadlines begin when a connection stands. They come in as a [Timeout]; this
// room has no clock.
package live
