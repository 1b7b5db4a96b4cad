// Package builtin holds the builtins of jq that are functions of values: of
// arrays and objects, strings, numbers, regular expressions and times. Each
// receives values that may be lazy, and returns one value or an error
// ([Functions]). The package knows neither the syntax tree nor how arguments are
// evaluated. Builtins that evaluate an argument several times, or stop its
// evaluation, are in package eval.
//
// Begin with builtin.go. delegate.go lists the functions that gojq computes.
//
// Two parts are written by hand. The sort (sort.go) takes a fifth of the time of
// the standard library's stable sort. The regular expressions (regex.go) add to
// package regexp the empty matches that jq finds directly after other matches.
package builtin
