// Package values contains jq's operations on values: reading, comparing, adding,
// indexing, updating and printing, with the error messages of jq. A value is a JSON
// value, or a lazy value of package mesh, which is loaded when it is first read. The
// package knows neither the syntax tree nor the order in which a query is evaluated.
//
// Begin with task.go: a [Task] contains the data that one goroutine needs to work on
// values. An operation reads a lazy value only through [Task.Force] and [Task.Deep]. It
// calls [Task.Alloc] before it allocates memory, and [Task.Tick] in loops, to notice when
// its context ends. A [Located] is a value together with the path at which it was found,
// for path expressions. error.go contains the errors, and distinguishes those that try
// catches from those that end a query ([IsUncatchable]).
//
// Three parts are unusual, for a reason. Arrays grow in place (list.go), because
// reduce … (. + [$x]) would otherwise copy the array at each step. Strings grow in place
// too (text.go). The depth of the stack is measured (task.go), because Go can't recover
// from a stack overflow. The gojq library computes rare operations (gojq.go).
package values
