package eval

import (
	"encoding/json"
	"math/big"
	"slices"

	"github.com/meshq/kubectl-meshq/query/syntax/native"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// setpath gives v with n in the place of a path. Only what lies on the path is
// looked into; it is changed in place where this goroutine has made it by an
// update before, else copied.
func (m *mach) setpath(v any, ks []any, n any) (any, error) {
	if len(ks) > maxNesting {
		return nil, errLongPath
	}
	return m.set(v, ks, n)
}

func (m *mach) set(v any, ks []any, n any) (any, error) {
	if len(ks) == 0 {
		return n, nil
	}
	was, err := m.enter(callWeight)
	if err != nil {
		return nil, err
	}
	defer m.leave(was)
	if _, ok := v.(*list); !ok {
		if v, err = m.force(v); err != nil {
			return nil, err
		}
	}
	switch k := ks[0].(type) {
	case string:
		x, ok := v.(*object.Object)
		if !ok && v != nil {
			return nil, misplaced(peek(v), ks, n)
		}
		return m.setMember(x, k, ks[1:], n)
	case int, float64, *big.Int, json.Number:
		if !isArray(v) && v != nil {
			return nil, misplaced(peek(v), ks, n)
		}
		if isNaN(k) {
			return nil, plainError("Cannot set array element at NaN index")
		}
		i, _ := native.ToInt(k)
		return m.setElement(v, i, ks[1:], n)
	case *object.Object:
		if !isArray(v) && v != nil {
			return nil, misplaced(peek(v), ks, n)
		}
		return m.setSlice(v, k, ks[1:], n)
	}
	return nil, misplaced(peek(v), ks, n)
}

func isArray(v any) bool {
	switch v.(type) {
	case []any, *list:
		return true
	}
	return false
}

func (m *mach) setMember(x *object.Object, k string, rest []any, n any) (any, error) {
	u, err := m.set(x.Get(k), rest, n)
	if err != nil {
		return nil, err
	}
	y, copied := x.With(m.mine(), k, u)
	return y, m.alloc(entrySize * (copied + 1))
}

// tooLarge is the first index that no array may have.
const tooLarge = 1 << 29

func (m *mach) setElement(x any, i int, rest []any, n any) (any, error) {
	size, j := lengthOf(x), i
	if j < 0 {
		j += size
	}
	switch {
	case j < 0:
		return nil, plainError("Out of bounds negative array index")
	case j >= tooLarge && j >= size:
		return nil, plainError("Array index too large")
	}
	u, err := m.set(elementOf(x, j), rest, n)
	if err != nil {
		return nil, err
	}
	return m.withElement(x, j, u)
}

// elementOf is an element of an array, null behind its end.
func elementOf(x any, i int) any {
	items, _ := x.([]any)
	if l, ok := x.(*list); ok {
		items = l.view().items
	}
	if i < len(items) {
		return items[i]
	}
	return nil
}

func (m *mach) setSlice(v any, k *object.Object, rest []any, n any) (any, error) {
	looked, err := m.look(v)
	if err != nil {
		return nil, err
	}
	x, _ := looked.([]any)
	i, j, err := edges(len(x), k)
	if err != nil {
		return nil, err
	}
	u := n
	if len(rest) > 0 {
		if u, err = m.set(slices.Clone(x[i:j]), rest, n); err != nil {
			return nil, err
		}
	}
	if u, err = m.force(u); err != nil {
		return nil, err
	}
	part, ok := u.([]any)
	if !ok {
		return nil, plainError("A slice of an array can only be assigned another array")
	}
	if len(part) == j-i && len(part) < len(x)/2 {
		for k, w := range part {
			if v, err = m.withElement(v, i+k, w); err != nil {
				return nil, err
			}
		}
		return v, nil
	}
	size := len(x) - (j - i) + len(part)
	if err := m.alloc(itemSize * size); err != nil {
		return nil, err
	}
	y := make([]any, 0, max(size, 1))
	return append(append(append(y, x[:i]...), part...), x[j:]...), nil
}
