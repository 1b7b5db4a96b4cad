// Package syntax parses a query into a tree. It contains the lexer, the parser, the check
// for undefined names, the formatter, and the errors with their position in the source.
// It accepts every program that gojq accepts. It also accepts method calls: X.f(a; b)
// means X | f(a; b). The package contains no values and evaluates nothing.
//
// The tree has the form of gojq's tree, and also contains the position of every node. At
// run time only the package query/syntax/native uses gojq. The tests of this package
// compare its parser with gojq's. Changes for a new version of gojq belong in these two
// packages.
package syntax
