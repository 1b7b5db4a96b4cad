// Package mesh is the vocabulary that the rooms share: what a value of the
// virtual document is, which kinds of objects and which sections it has, what
// a fault says. It knows names and rules, no transport, no query and no
// printer, and imports nothing of ours.
//
// # Values
//
// A value is nil, bool, int, float64, *big.Int, json.Number, string, []any or
// *object.Object, or a [Lazy] that becomes one of these. Values are shared and
// never changed after they were handed out. Object fields are lowerCamelCase.
package mesh
