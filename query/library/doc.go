// Package library contains the functions that a query can call in addition to jq's own.
// Each .jq file defines the functions of one subject. The comment above a function is its
// documentation. A function whose name begins with an underscore is private; such a
// function is written in Go if jq can't express it.
//
// Begin with library.go, where Natives returns the list of the Go functions. The
// functions match and trace are implemented in package trace, and diff in package diff.
// The functions read only their arguments and what [Doors] provide.
package library
