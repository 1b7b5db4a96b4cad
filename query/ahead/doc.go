// Package ahead evaluates the elements of an iteration for several at once,
// while their results, errors and reports come in the order in which one
// goroutine alone would have met them. It knows what a load and a proxy are; it
// does not know the language: what it runs is given as functions.
//
// Begin with region.go. A [Region] is an iteration (From) and what is done with
// each of its elements (Use). [Thread.Run] evaluates it one by one until an
// element has to be loaded. From there on the elements go into a queue
// (queue.go), a worker evaluates each of them (element.go), and the consumer
// takes the results in order. A [Thread] (thread.go) is one goroutine; a [Frame]
// (frame.go) is one step of an iteration over proxies, which a fault drops.
// parked.go lets elements load beyond the limit while the first one waits.
//
// The rules of order, of cancelling and of what may block are the invariants 3
// to 9 of package eval, and are tested there.
package ahead
