// Package syntax parses a query into a tree. It contains the lexer, the parser,
// the check of names, the formatter, and the errors with their position in the
// source. It accepts every program that gojq accepts, and in addition method
// calls: X.f(a; b) for X | f(a; b). It knows no values and evaluates nothing.
//
// The tree has the form of gojq's and adds the position of every node. At run
// time only query/syntax/native uses gojq; the tests of this package compare
// with gojq's parser. Changes for a new version of gojq belong in these two
// packages.
package syntax
