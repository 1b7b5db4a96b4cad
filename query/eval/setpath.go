package eval

import (
	"encoding/json"
	"math/big"

	"github.com/meshq/kubectl-meshq/query/syntax/native"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// gone takes the place of what is deleted, until all of it is: indexes must
// not move while paths are followed.
type gone struct{}

// setpath gives v with n in the place of a path. Only what lies on the path is
// looked into, and copied.
func (m *mach) setpath(v any, ks []any, n any) (any, error) { return m.setOwned(v, ks, n, nil) }

// setOwned is setpath that changes what it owns in place.
func (m *mach) setOwned(v any, ks []any, n any, o owner) (any, error) {
	if len(ks) > maxNesting {
		return nil, errLongPath
	}
	return m.set(v, ks, n, o)
}

func (m *mach) set(v any, ks []any, n any, o owner) (any, error) {
	if len(ks) == 0 {
		return n, nil
	}
	was, err := m.enter(callWeight)
	if err != nil {
		return nil, err
	}
	defer m.leave(was)
	v, err = m.force(v)
	if err != nil || deletes(v) || v == nil && deletes(n) {
		return v, err
	}
	switch k := ks[0].(type) {
	case string:
		x, ok := v.(*object.Object)
		if !ok && v != nil {
			return nil, misplaced(v, ks, n)
		}
		return m.setMember(x, k, ks[1:], n, o)
	case int, float64, *big.Int, json.Number:
		x, ok := v.([]any)
		if !ok && v != nil {
			return nil, misplaced(v, ks, n)
		}
		if isNaN(k) {
			if deletes(n) {
				return orNull(x, x == nil), nil
			}
			return nil, plainError("Cannot set array element at NaN index")
		}
		i, _ := native.ToInt(k)
		return m.setElement(x, i, ks[1:], n, o)
	case *object.Object:
		x, ok := v.([]any)
		if !ok && v != nil {
			return nil, misplaced(v, ks, n)
		}
		return m.setSlice(x, k, ks[1:], n, o)
	}
	return nil, misplaced(v, ks, n)
}

// orNull is a container that is not changed: null, where it was null.
func orNull(x any, null bool) any {
	if null {
		return nil
	}
	return x
}

func deletes(n any) bool {
	_, ok := n.(gone)
	return ok
}

func (m *mach) setMember(x *object.Object, k string, rest []any, n any, o owner) (any, error) {
	old, ok := x.Lookup(k)
	if !ok && deletes(n) {
		return orNull(x, x == nil), nil
	}
	u, err := m.set(old, rest, n, o)
	if err != nil {
		return nil, err
	}
	if x != nil && o.has(x) {
		x.Set(k, u)
		return x, nil
	}
	if err := m.alloc(entrySize * (x.Len() + 1)); err != nil {
		return nil, err
	}
	y := object.New(x.Len() + 1)
	y.SetAll(x)
	y.Set(k, u)
	o.add(y)
	return y, nil
}

// tooLarge is the first index that no array may have.
const tooLarge = 1 << 29

func (m *mach) setElement(x []any, i int, rest []any, n any, o owner) (any, error) {
	j := i
	if j < 0 {
		j += len(x)
	}
	switch {
	case (j < 0 || j >= len(x)) && deletes(n):
		return orNull(x, x == nil), nil
	case j < 0:
		return nil, plainError("Out of bounds negative array index")
	case j >= tooLarge && j >= len(x):
		return nil, plainError("Array index too large")
	}
	var old any
	if j < len(x) {
		old = x[j]
	}
	u, err := m.set(old, rest, n, o)
	if err != nil {
		return nil, err
	}
	y, err := m.room(x, j+1, o)
	if err != nil {
		return nil, err
	}
	y[j] = u
	return y, nil
}

// room gives an owned array with the elements of x and at least n of them.
func (m *mach) room(x []any, n int, o owner) ([]any, error) {
	n = max(n, len(x))
	size := n
	if len(x) > 0 && o.has(x) {
		if n <= cap(x) {
			return x[:n], nil
		}
		size = max(n, 2*cap(x))
		o.drop(x)
	}
	if err := m.alloc(itemSize * size); err != nil {
		return nil, err
	}
	y := make([]any, n, size)
	copy(y, x)
	o.add(y)
	return y, nil
}

func (m *mach) setSlice(x []any, k *object.Object, rest []any, n any, o owner) (any, error) {
	i, j, err := edges(len(x), k)
	if err != nil {
		return nil, err
	}
	if i == j && deletes(n) {
		return orNull(x, x == nil), nil
	}
	u, err := m.set(x[i:j:j], rest, n, o)
	if err != nil {
		return nil, err
	}
	if deletes(u) {
		y, err := m.room(x, len(x), o)
		if err != nil {
			return nil, err
		}
		for ; i < j; i++ {
			y[i] = gone{}
		}
		return y, nil
	}
	if u, err = m.force(u); err != nil {
		return nil, err
	}
	part, ok := u.([]any)
	if !ok {
		return nil, plainError("A slice of an array can only be assigned another array")
	}
	return m.splice(x, i, j, part, o)
}

// splice gives x with other elements in place of those from i to j.
func (m *mach) splice(x []any, i, j int, part []any, o owner) (any, error) {
	if len(part) == j-i {
		y, err := m.room(x, len(x), o)
		if err != nil {
			return nil, err
		}
		copy(y[i:], part)
		return y, nil
	}
	size := len(x) - (j - i) + len(part)
	if err := m.alloc(itemSize * size); err != nil {
		return nil, err
	}
	y := make([]any, 0, max(size, 1))
	y = append(append(append(y, x[:i]...), part...), x[j:]...)
	o.add(y)
	return y, nil
}
