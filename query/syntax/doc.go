// Package syntax turns the words of a query into a tree: tokens, the parser,
// positions, the check of names, and what an error looks like under the line
// it is in. It accepts every program that gojq accepts, and beside them method
// calls, X.f(a; b) for X | f(a; b). It writes trees back as text. It knows no
// value and evaluates nothing.
//
// The tree has the form of gojq's, with the place of everything in the source.
// gojq itself is met in this room and the one below it only: a new gojq is
// this room's work.
package syntax
