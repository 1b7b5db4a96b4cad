// Package ahead evaluates several elements of an iteration concurrently, so that their
// slow loads overlap. Results, errors and messages to the user still arrive in the order
// in which one goroutine would produce them. The package handles loads and proxies, but
// it doesn't depend on the query language: its callers pass the code to run as functions.
//
// Begin with region.go. A [Region] is an iteration (its function From) and the code to
// run for each element (its function Use). [Thread.Run] evaluates one element after the
// other until an element has to be loaded. From then on, the elements enter a queue
// (queue.go), one worker evaluates each element (element.go), and the consumer takes the
// results in order. A [Thread] (thread.go) is one goroutine of a run. A [Frame]
// (frame.go) is one step of an iteration over proxies: if a load fails in it, only that
// proxy is dropped. While the first element waits, parked.go lets more elements load than
// the limit allows.
//
// The documentation of package eval lists the rules on order, cancellation and blocking,
// as its invariants 3 to 9. The tests of package eval check them.
package ahead
