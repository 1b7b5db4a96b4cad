// Package builtin holds the builtins of jq that are functions of values: of
// arrays and objects, strings, numbers, regular expressions and times. Each is
// given values that may be lazy, and returns one value or an error
// ([Functions]). It knows neither the syntax tree nor how arguments are
// evaluated: builtins that evaluate an argument several times, or stop it, are in
// package eval.
//
// Begin with builtin.go. delegate.go lists the functions that gojq does.
//
// Written by hand, and why: the sort (sort.go) takes a fifth of the time of the
// standard library's stable sort; regular expressions (regex.go) add to package
// regexp the empty matches that jq finds behind other matches.
package builtin
