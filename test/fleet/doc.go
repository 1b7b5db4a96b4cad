// Package fleet simulates a mesh of thousands of proxies on one machine, for
// benches and demos: an API server that lists pods and forwards ports, some
// istiods, and Envoys that answer for themselves, all in one process and on
// loopback only.
//
// It knows the words that Envoy's admin port, istiod's debug port and the API
// server speak, and what each proxy would say: a small recorded mesh is
// repeated, with other names, until a dump is as large as wanted. What is made
// depends on the options alone, so that two runs are of the same mesh. It does
// not proxy, balance or configure anything, and it knows nothing of who asks.
//
// Proxies can be made stale, or broken in some ways: hung, refused, cut off in
// the middle of an answer, too busy. Everything that was asked is counted.
package fleet
