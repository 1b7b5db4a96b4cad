package eval

import (
	"math"
	"math/big"
	"reflect"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// same is the identity that path expressions go by: the same scalar, or one
// and the same container. It loads nothing; two references to one lazy value
// are the same.
func same(a, b any) bool {
	if oneLazy(a, b) {
		return true
	}
	a, b = peek(a), peek(b)
	switch x := a.(type) {
	case []any, *object.Object:
		return mesh.Identical(a, b)
	case float64:
		y, ok := b.(float64)
		return ok && (x == y || math.IsNaN(x) && math.IsNaN(y))
	case *big.Int:
		y, ok := b.(*big.Int)
		return ok && x.Cmp(y) == 0
	case mesh.Lazy:
		return false
	}
	switch b.(type) {
	case []any, *object.Object, mesh.Lazy:
		return false
	}
	return a == b
}

// oneLazy tells whether a and b are the same lazy value.
func oneLazy(a, b any) bool {
	_, la := a.(mesh.Lazy)
	_, lb := b.(mesh.Lazy)
	return la && lb && reflect.TypeOf(a) == reflect.TypeOf(b) && reflect.TypeOf(a).Comparable() && a == b
}
