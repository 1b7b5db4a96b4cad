// Package native is the only package that uses the gojq library at run time. It provides
// functions that gojq implements in Go: the order of values, their JSON text, dates,
// mathematics, formats, and the exact texts of errors.
//
// All values must be loaded completely: nil, bool, int, float64, *big.Int, json.Number,
// string, []any and [object.Object]. Callers must load lazy values before they pass them
// in. The package knows neither the syntax tree of a query, nor the mesh, nor how a query
// is evaluated, and its API contains no type of gojq.
package native
