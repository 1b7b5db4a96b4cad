// Package native is the only package that uses gojq at run time. It provides
// what gojq implements in Go: the order of values, their JSON text, dates,
// mathematics, formats, and the exact text of every error.
//
// It handles plain values only: nil, bool, int, float64, *big.Int, json.Number,
// string, []any and [object.Object]. Lazy values must be loaded before they are
// passed in. The package knows nothing of the syntax tree of a query, of a
// mesh, or of how a query is evaluated, and no type of gojq appears in its API.
package native
