// Package native is the only package that uses gojq at run time. It offers
// functions that gojq implements in Go: the order of values, their JSON text,
// dates, mathematics, formats, and the exact text of every error.
//
// The package handles plain values only: nil, bool, int, float64, *big.Int,
// json.Number, string, []any and [object.Object]. Callers must load lazy values
// before they pass them in. The package doesn't know the syntax tree of a query,
// the mesh, or how a query is evaluated, and its API contains no type of gojq.
package native
