// Package ahead evaluates several elements of an iteration at once. The results,
// errors and reports arrive in the same order as if one goroutine had evaluated
// one element after the other. The package knows loads and proxies, but not the
// language: its callers pass the code to run as functions.
//
// Begin with region.go. A [Region] is an iteration (From) and what is done with
// each of its elements (Use). [Thread.Run] evaluates the elements one by one
// until an element has to be loaded. From then on the elements enter a queue
// (queue.go), a worker evaluates each of them (element.go), and the consumer
// takes the results in order. A [Thread] (thread.go) is one goroutine of a run. A
// [Frame] (frame.go) is one step of an iteration over proxies; a fault in it
// drops the proxy. parked.go allows more elements than the limit to load while
// the first one waits.
//
// The rules on order, cancellation and blocking are the invariants 3 to 9 of
// package eval, whose tests cover them.
package ahead
