package values

import (
	"math"
	"math/big"
	"reflect"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// Located is a value on its way through the query. P is nil unless a path
// expression is being evaluated.
type Located struct {
	V any
	P *Path
}

// Yield takes one result. If it returns an error, the caller stops and returns
// that error as it is.
type Yield = func(Located) error

// Made returns a new value that was made from the input. It is no part of the
// input any more, unless it happens to be the last part that was found.
func (in Located) Made(v any) Located {
	if in.P == nil {
		return Located{v, nil}
	}
	last := in
	if in.P.bad {
		last = Located{in.P.last, in.P.up}
	}
	if same(v, last.V) {
		return Located{v, last.P}
	}
	return Located{v, &Path{up: last.P, bad: true, last: last.V}}
}

// Plain returns the value without its path: for what is evaluated beside the
// path.
func Plain(in Located) Located { return Located{in.V, nil} }

// Path is where a value was found: the key, and the Path of its container.
type Path struct {
	up   *Path
	key  any
	bad  bool // the value was made, not found
	last any  // then: what was found last, where up leads
}

var RootPath = &Path{}

// Keys gives the path as jq shows it.
func (p *Path) Keys() []any {
	n := 0
	for q := p; q != RootPath; q = q.up {
		if q.key != nil {
			n++
		}
	}
	ks := make([]any, n)
	for q := p; q != RootPath; q = q.up {
		if q.key != nil {
			n--
			ks[n] = q.key
		}
	}
	return ks
}

// Child is a value found in another, under a key.
func Child(in Located, key, v any) Located {
	if in.P == nil {
		return Located{v, nil}
	}
	return Located{v, &Path{up: in.P, key: key}}
}

// CheckPath refuses to go on from a value that was made: it has no place in
// the input. Doing says what was tried with it.
func CheckPath(m *Task, in Located, doing func() string) error {
	if in.P == nil || !in.P.bad {
		return nil
	}
	return &LazyError{func() string { return "Invalid path expression " + doing() + excerpt(in.V) }}
}

// What may be done with a value that a path leads to, as errors say it.
func InvalidResult() string { return "with result " }

// InvalidIteration is what CheckPath says of an iteration.
func InvalidIteration() string { return "near attempt to iterate through " }

// InvalidAccess is what CheckPath says of an access by the key k.
func InvalidAccess(k any) func() string {
	return func() string { return "near attempt to access element " + excerpt(k) + " of " }
}

// Peek looks through what costs nothing to look through.
func Peek(v any) any {
	if l, ok := v.(mesh.Lazy); ok {
		if w, ok := l.Forced(); ok {
			return w
		}
	}
	return v
}

// same is the identity that path expressions go by: the same scalar, or one
// and the same container. It loads nothing; two references to one lazy value
// are the same.
func same(a, b any) bool {
	if oneLazy(a, b) {
		return true
	}
	a, b = Peek(a), Peek(b)
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
