// Package values holds jq's operations on values: reading, comparing, adding,
// indexing, updating and printing them, with jq's errors. A value is what JSON
// has, or a lazy value of package mesh that stands for one. It knows neither
// the syntax tree nor the order in which a query is evaluated.
//
// Begin with task.go: a [Task] is what one goroutine needs to work on values. An
// operation reads a lazy value through [Task.Force] and [Task.Deep] only, counts
// memory with [Task.Alloc] before it takes it, and notices the end of its context
// in [Task.Tick]. A [Located] is a value with the path at which it was found, for
// path expressions. error.go has the errors that end a query and those that try
// catches, and tells them apart ([IsUncatchable]).
//
// Written by hand, and why: arrays that grow in place (list.go), because
// reduce … (. + [$x]) would copy the array at each step; the depth of the stack
// (task.go), because Go can't recover from a stack overflow; texts that are
// appended to (text.go), for the same reason as arrays. What is rare is left to
// gojq (gojq.go).
package values
