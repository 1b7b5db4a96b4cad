package values

import (
	"math"
	"math/big"
	"reflect"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// Located is a value with the path at which it was found. The path P is nil unless a path
// expression is being evaluated.
type Located struct {
	V any
	P *Path
}

// Yield is a callback that receives one result. If it returns an error, the code that
// called it must stop and return the same error.
type Yield = func(Located) error

// Made returns v as a value that was computed from the input. Such a value has no path,
// so its path is marked as invalid, unless v is identical to the value that was found
// last.
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

// Plain returns the value without its path.
func Plain(in Located) Located { return Located{in.V, nil} }

// Path is the path of a value: the path of the container, and the key in the container.
type Path struct {
	up   *Path
	key  any
	bad  bool // whether the value was computed instead of found in the input
	last any  // last value that was found in the input, if this value was computed
}

var RootPath = &Path{}

// Keys returns the keys of the path, beginning with the outermost container.
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

// Child returns v as the value that was found under the given key of the container in.
func Child(in Located, key, v any) Located {
	if in.P == nil {
		return Located{v, nil}
	}
	return Located{v, &Path{up: in.P, key: key}}
}

// CheckPath returns an error if a path expression continues from a computed value, which
// has no path. doing returns the part of the error text that describes the attempted
// step.
func CheckPath(m *Task, in Located, doing func() string) error {
	if in.P == nil || !in.P.bad {
		return nil
	}
	return &LazyError{func() string { return "Invalid path expression " + doing() + excerpt(in.V) }}
}

// InvalidResult returns the part of the error text "Invalid path expression" that refers
// to the result of a computation; see [CheckPath].
func InvalidResult() string { return "with result " }

// InvalidIteration returns the part of the error text "Invalid path expression" that
// refers to an iteration; see [CheckPath].
func InvalidIteration() string { return "near attempt to iterate through " }

// InvalidAccess returns the part of the error text "Invalid path expression" that refers
// to reading the key k; see [CheckPath].
func InvalidAccess(k any) func() string {
	return func() string { return "near attempt to access element " + excerpt(k) + " of " }
}

// Peek returns the loaded value if v is lazy and already loaded. Otherwise it returns v
// itself.
func Peek(v any) any {
	if l, ok := v.(mesh.Lazy); ok {
		if w, ok := l.Forced(); ok {
			return w
		}
	}
	return v
}

// same reports whether a path expression treats a and b as identical: equal scalars, or
// the same array or object. It loads nothing. Two references to one lazy value are
// identical.
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

// oneLazy reports whether a and b are references to the same lazy value.
func oneLazy(a, b any) bool {
	_, la := a.(mesh.Lazy)
	_, lb := b.(mesh.Lazy)
	return la && lb && reflect.TypeOf(a) == reflect.TypeOf(b) && reflect.TypeOf(a).Comparable() && a == b
}
