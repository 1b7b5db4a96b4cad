// Package syntax parses a query into a tree. It contains the lexer, the parser,
// the check of names, the formatter, and the errors with their position in the
// source. It accepts every program that gojq accepts. It also accepts method
// calls: X.f(a; b) means X | f(a; b). The package knows no values and evaluates
// nothing.
//
// The tree has the form of gojq's tree and also holds the position of every node.
// At run time only query/syntax/native uses gojq; the tests of this package
// compare its parser with gojq's. Changes for a new version of gojq belong in
// these two packages.
package syntax
