// Package builtin contains the builtins of jq that can be computed from values alone:
// those on arrays and objects, strings, numbers, regular expressions and times. A builtin
// receives values that may be lazy (not loaded yet), and returns one value or an error
// ([Functions]). The package knows neither the syntax tree nor how arguments are
// evaluated. Package eval contains the builtins that evaluate an argument several times
// or stop its evaluation.
//
// Begin with builtin.go. delegate.go lists the functions that the gojq library computes.
//
// Two parts replace library code for a reason. The sort (sort.go) takes a fifth of the
// time of the standard library's stable sort. The regular expressions (regex.go) also
// find empty matches directly after other matches, as jq does; package regexp skips
// these.
package builtin
