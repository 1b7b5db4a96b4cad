package values

import (
	"math"
	"slices"

	"github.com/meshq/kubectl-meshq/query/syntax/native"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// borrowFor loads v so that its member k can be read. If k is an index, the caller must
// not keep the array (see [Task.Borrow]), so that a later update may still change the
// array in place.
func borrowFor(m *Task, v, k any) (any, error) {
	if _, ok := k.(int); ok {
		return m.Borrow(v)
	}
	return m.Force(v)
}

// Member returns v[k]. The caller must have loaded v with [Task.Force].
func Member(m *Task, v, k any) (any, error) {
	switch k := k.(type) {
	case string:
		switch x := v.(type) {
		case *object.Object:
			if w, ok := x.Lookup(k); ok {
				return w, nil
			}
			return mesh.Missing(x, k), nil
		case nil:
			return nil, nil
		}
		return nil, CannotIndex(v, k)
	case int:
		switch x := v.(type) {
		case []any:
			if k < 0 {
				k += len(x)
			}
			if 0 <= k && k < len(x) {
				return x[k], nil
			}
			return nil, nil
		case nil:
			return nil, nil
		}
		return nil, CannotIndex(v, k)
	}
	return memberRare(m, v, k)
}

// memberRare returns v[k] for a key k that is neither a string nor an int.
func memberRare(m *Task, v, k any) (any, error) {
	k, err := m.Deep(k)
	if err != nil {
		return nil, err
	}
	switch k := k.(type) {
	case *object.Object:
		switch x := v.(type) {
		case nil:
			return nil, nil
		case []any:
			i, j, err := edges(len(x), k)
			if err != nil {
				return nil, err
			}
			return x[i:j:j], nil
		case string:
			if _, _, err := edges(0, k); err != nil {
				return nil, err
			}
			return m.Gojq("$a | .[$b:$c]", v, k.Get("start"), k.Get("end"))
		}
	case []any: // the result is the indexes at which the array k occurs in v
		if x, ok := v.([]any); ok {
			return IndicesOf(m, x, k)
		}
	case nil, bool:
	default: // any other valid key is a number
		switch x := v.(type) {
		case nil:
			return nil, nil
		case []any:
			if i, ok := native.ToInt(k); ok {
				return Member(m, x, i)
			}
			return nil, nil
		}
	}
	return nil, CannotIndex(v, k)
}

// IndicesOf returns all indexes of the array v at which the elements of the array part
// occur in a row.
func IndicesOf(m *Task, v, part []any) ([]any, error) {
	out := []any{}
	if len(part) == 0 {
		return out, nil
	}
	for i := 0; i+len(part) <= len(v); i++ {
		if err := m.Tick(); err != nil {
			return nil, err
		}
		c, err := CompareArrays(m, v[i:i+len(part)], part)
		if err != nil {
			return nil, err
		}
		if c == 0 {
			if out, err = m.Push(out, i); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// IndexForced does the same as Index, for a key that can be lazy (not loaded yet).
func IndexForced(m *Task, in Located, k any) (Located, error) {
	k, err := m.Force(k)
	if err != nil {
		return in, err
	}
	return Index(m, in, k)
}

// Index returns the member, element or slice of a value that the key k refers to,
// together with its path.
func Index(m *Task, in Located, k any) (Located, error) {
	if v, ok := memberKnown(in, k); ok {
		return Located{v, nil}, nil
	}
	v, err := borrowFor(m, in.V, k)
	if err != nil {
		return in, err
	}
	if err := CheckPath(m, Located{v, in.P}, InvalidAccess(k)); err != nil {
		return in, err
	}
	w, err := Member(m, v, k)
	if err != nil {
		return in, err
	}
	if mesh.IsAbsent(in.V) {
		w = in.V
	}
	if in.P == nil {
		return Located{w, nil}, nil
	}
	return Located{w, &Path{up: in.P, key: k}}, nil
}

// memberKnown returns a member, if it can be read without loading the object.
func memberKnown(in Located, k any) (any, bool) {
	x, ok := in.V.(mesh.Known)
	if name, isName := k.(string); ok && isName && in.P == nil {
		return x.Member(name)
	}
	return nil, false
}

const noBound = TextError("Array/string slice indices must be integers")

// edges returns the bounds i and j of a slice of an array with n elements. The key k is
// an object {start, end}.
func edges(n int, k *object.Object) (i, j int, err error) {
	start, ok1 := k.Lookup("start")
	end, ok2 := k.Lookup("end")
	if !ok1 || !ok2 {
		return 0, 0, noBound
	}
	return bounds(n, start, end)
}

// bounds converts the start and the end of a slice to indexes of an array with n
// elements.
func bounds(n int, start, end any) (i, j int, err error) {
	j = n
	if start != nil {
		k, ok := roundBound(start, math.Floor)
		if !ok {
			return 0, 0, noBound
		}
		i = clamp(k, 0, n)
	}
	if end != nil {
		k, ok := roundUp(end)
		if !ok {
			return 0, 0, noBound
		}
		j = clamp(k, i, n)
	}
	return i, j, nil
}

// clamp adds n to a negative index i, and then limits the index to the range [low, n].
func clamp(i, low, n int) int {
	if i < 0 {
		i += n
	}
	return max(low, min(i, n))
}

// roundUp rounds v up to an integer. Like gojq, it returns MaxInt, which is the end of
// the array, for NaN and for numbers between -1 and 0.
func roundUp(v any) (int, bool) {
	if f, ok := numeric(v).(float64); ok && (-1 < f && f < 0 || math.IsNaN(f)) {
		return math.MaxInt, true
	}
	return roundBound(v, math.Ceil)
}

// roundBound converts a slice's bound to an index. It rounds the bound with the given
// function, such as math.Floor.
func roundBound(v any, to func(float64) float64) (int, bool) {
	v = numeric(v)
	if f, ok := v.(float64); ok {
		v = to(f)
	}
	return native.ToInt(v)
}

// Slice returns the elements of an array, or the characters of a string, between two
// bounds, together with the path of the slice.
func Slice(m *Task, in Located, start, end any) (Located, error) {
	if l, ok := in.V.(*list); ok && in.P == nil && lengthOf(l) >= listMost {
		if end == nil && start == 1 {
			v, err := cutList(m, l, listShift)
			return Located{v, nil}, err
		} else if end == -1 && (start == nil || start == 0) {
			v, err := cutList(m, l, listCut)
			return Located{v, nil}, err
		}
	}
	v, err := m.Force(in.V)
	if err != nil {
		return in, err
	}
	if start, err = m.Deep(start); err != nil {
		return in, err
	}
	if end, err = m.Deep(end); err != nil {
		return in, err
	}
	k := object.Of("start", start, "end", end)
	if err := CheckPath(m, Located{v, in.P}, InvalidAccess(k)); err != nil {
		return in, err
	}
	w, err := memberRare(m, v, k)
	if err != nil {
		return in, err
	}
	if mesh.IsAbsent(in.V) {
		w = in.V
	}
	return Child(in, k, w), nil
}

// errLongPath is the error for a path with more keys than values may be nested.
const errLongPath = TextError("Path too deep")

// GetPath returns v[k1][k2]… for the keys ks. It loads only the values on that path.
func GetPath(m *Task, v any, ks []any) (any, error) {
	if len(ks) > maxNesting {
		return nil, errLongPath
	}
	w := v
	for _, k := range ks {
		x, err := borrowFor(m, w, k)
		if err != nil {
			return nil, err
		}
		if mesh.IsAbsent(w) { // all values inside a missing object are missing too
			break
		}
		if w, err = Member(m, x, k); err != nil {
			return nil, err
		}
	}
	return w, nil
}

const ErrPath = TextError("Path must be specified as an array")

// TypeOf returns jq's name for the type of a value. It doesn't load objects of the
// document, whose type is known.
func (m *Task) TypeOf(v any) (string, error) {
	if x, ok := v.(mesh.Known); ok && x.IsObject() {
		return "object", nil
	}
	v, err := m.Force(v)
	if err != nil {
		return "", err
	}
	return native.TypeOf(v), nil
}

// Raise returns the error that the builtin error(v) raises.
func (m *Task) Raise(v any) error {
	v, err := m.Deep(v)
	if err != nil {
		return err
	}
	return &ValueError{v}
}

// Func implements a builtin that can be computed from values alone. Its input, its
// arguments and its result can be lazy (not loaded yet).
type Func = func(m *Task, in any, args []any) (any, error)

// ForceList loads v for a caller that needs an array. It returns an empty array for a
// section that doesn't apply to the proxy's type.
func (m *Task) ForceList(v any) (any, error) {
	if mesh.IsAbsent(v) {
		return []any{}, nil
	}
	return m.Force(v)
}

func asList(v any) any {
	if mesh.IsAbsent(v) {
		return []any{}
	}
	return v
}

// AbsentAsList wraps fn so that it accepts a section that doesn't apply to the proxy's
// type. Such a section is null. If fn fails and its input or an argument is such a null,
// fn is called again with an empty array instead.
func AbsentAsList(fn Func) Func {
	return func(m *Task, in any, args []any) (any, error) {
		v, err := fn(m, in, args)
		if err == nil || IsUncatchable(err) || !mesh.IsAbsent(in) && !slices.ContainsFunc(args, mesh.IsAbsent) {
			return v, err
		}
		lists := make([]any, len(args))
		for i, a := range args {
			lists[i] = asList(a)
		}
		return fn(m, asList(in), lists)
	}
}
