// Package ahead evaluates several elements of an iteration concurrently. The
// results, errors and reports arrive in the same order as if one goroutine had
// evaluated one element after the other. The package handles loads and proxies, but
// it doesn't depend on the query language: its callers pass the code to run as
// functions.
//
// Begin with region.go. A [Region] is an iteration (From) and the code to run for
// each of its elements (Use). [Thread.Run] evaluates the elements one by one until
// an element has to be loaded. From then on the elements enter a queue (queue.go),
// a worker evaluates each of them (element.go), and the consumer takes the results
// in order. A [Thread] (thread.go) is one goroutine of a run. A [Frame] (frame.go)
// is one step of an iteration over proxies; a fault in it drops the proxy.
// parked.go allows more elements than the limit to load while the first one waits.
//
// Package eval lists the rules on order, cancellation and blocking as its
// invariants 3 to 9, and tests them.
package ahead
