// Package mesh is the vocabulary that the other packages share: the values of the
// virtual document, its kinds of objects and their fields, its sections, and
// faults. It knows names and rules; it does not know transports, queries or
// printers, and imports only package object.
//
// Start with lazy.go for values, kind.go for the rows of fields.
//
// # Values
//
// A value is nil, bool, int, float64, *big.Int, json.Number, string, []any or
// *object.Object, or a [Lazy] that becomes one of these. Values are shared and
// never changed after they were handed out. Object fields are lowerCamelCase.
package mesh
