package values

import (
	"math"
	"math/big"
	"reflect"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// Located is a value with the path at which it was found. P is nil unless a path
// expression is being evaluated.
type Located struct {
	V any
	P *Path
}

// Yield is a function that receives one result. If it returns an error, its caller
// must stop and return the same error.
type Yield = func(Located) error

// Made returns v as a value that was computed from the input. v is no longer a
// part of the input, so its path is marked bad, unless v is the same value that
// was found last.
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

// Path is the path of a value: the path of its container and the last key.
type Path struct {
	up   *Path
	key  any
	bad  bool // the value was computed instead of found in the input
	last any  // for a computed value, the last value that was found in the input
}

var RootPath = &Path{}

// Keys returns the keys of the path, from the outermost one.
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

// Child returns v as the value that was found in the container in under a key.
func Child(in Located, key, v any) Located {
	if in.P == nil {
		return Located{v, nil}
	}
	return Located{v, &Path{up: in.P, key: key}}
}

// CheckPath returns an error if a path expression continues from a computed value,
// which has no path. doing returns a description of the attempted step for the
// error.
func CheckPath(m *Task, in Located, doing func() string) error {
	if in.P == nil || !in.P.bad {
		return nil
	}
	return &LazyError{func() string { return "Invalid path expression " + doing() + excerpt(in.V) }}
}

// InvalidResult returns the description of a path expression's result, for an
// error of [CheckPath].
func InvalidResult() string { return "with result " }

// InvalidIteration returns the description of an iteration, for an error of
// [CheckPath].
func InvalidIteration() string { return "near attempt to iterate through " }

// InvalidAccess returns the description of reading the key k, for an error of
// [CheckPath].
func InvalidAccess(k any) func() string {
	return func() string { return "near attempt to access element " + excerpt(k) + " of " }
}

// Peek returns the loaded value of v if v is lazy and already loaded, and
// otherwise v itself.
func Peek(v any) any {
	if l, ok := v.(mesh.Lazy); ok {
		if w, ok := l.Forced(); ok {
			return w
		}
	}
	return v
}

// same reports whether a path expression treats a and b as identical: equal
// scalars, or the same container. It loads nothing; two references to one lazy
// value are identical.
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

// oneLazy reports whether a and b are lazy and identical.
func oneLazy(a, b any) bool {
	_, la := a.(mesh.Lazy)
	_, lb := b.(mesh.Lazy)
	return la && lb && reflect.TypeOf(a) == reflect.TypeOf(b) && reflect.TypeOf(a).Comparable() && a == b
}
