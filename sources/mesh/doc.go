// Package mesh defines what the other packages share: the values of the virtual
// document, its kinds of objects and their fields, its sections, and faults. It
// defines names and rules only: it contains nothing about transports, queries or
// printers, and imports only package object.
//
// Start with lazy.go for values, and with kind.go for the table of fields.
//
// # Values
//
// A value is nil, bool, int, float64, *big.Int, json.Number, string, []any or
// *object.Object, or a [Lazy] that becomes one of these. Values are shared, and
// must not be changed once other code can read them. Object fields are
// lowerCamelCase.
package mesh
