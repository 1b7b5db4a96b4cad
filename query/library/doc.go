// Package library holds the functions that a query can call beside jq's own. Each
// .jq file defines the functions of one subject; the comment above a function is
// its documentation. A function whose name begins with an underscore is private,
// and written in Go where jq can't express it.
//
// Start with library.go: Natives is the table of the Go functions. What is behind
// match and trace is in package trace, what is behind diff in package diff. The
// package reads only the values that it is given, and what Doors offer.
package library
