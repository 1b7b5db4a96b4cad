// Package native is the only door to gojq at run time. Through it come the
// order of values, their text, and the functions that gojq has in Go: dates,
// mathematics, formats, and the exact words of every error.
//
// It knows plain values only: nil, bool, int, float64, *big.Int, json.Number,
// string, []any and [object.Object]. What is lazy has to be loaded before it is
// handed in. It knows nothing of the tree of a query, of a mesh, or of how a
// query is run; and no type of gojq's leaves it.
package native
