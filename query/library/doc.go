// Package library contains the functions that a query can call in addition to jq's
// own. Each .jq file defines the functions of one subject. The comment above a
// function is its documentation. A function whose name begins with an underscore is
// private. It is written in Go if jq can't express it.
//
// Start with library.go, where Natives returns the table of the Go functions.
// Package trace implements match and trace, and package diff implements diff. The
// package reads only its arguments and what Doors provide.
package library
