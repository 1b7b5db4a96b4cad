package values

import (
	"encoding/json"
	"math/big"
	"slices"

	"github.com/meshq/kubectl-meshq/query/syntax/native"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// SetPath returns v with the value n at the path ks. It loads only the values on the
// path. An array or object that an update in this goroutine has created is changed in
// place; any other is copied.
func SetPath(m *Task, v any, ks []any, n any) (any, error) {
	if len(ks) > maxNesting {
		return nil, errLongPath
	}
	return setIn(m, v, ks, n)
}

func setIn(m *Task, v any, ks []any, n any) (any, error) {
	if len(ks) == 0 {
		return n, nil
	}
	was, err := m.Enter(CallWeight)
	if err != nil {
		return nil, err
	}
	defer m.Leave(was)
	if _, ok := v.(*list); !ok {
		if v, err = m.Force(v); err != nil {
			return nil, err
		}
	}
	switch k := ks[0].(type) {
	case string:
		x, ok := v.(*object.Object)
		if !ok && v != nil {
			return nil, misplaced(Peek(v), ks, n)
		}
		return setMember(m, x, k, ks[1:], n)
	case int, float64, *big.Int, json.Number:
		if !isArray(v) && v != nil {
			return nil, misplaced(Peek(v), ks, n)
		}
		if IsNaN(k) {
			return nil, TextError("Cannot set array element at NaN index")
		}
		i, _ := native.ToInt(k)
		return setElement(m, v, i, ks[1:], n)
	case *object.Object:
		if !isArray(v) && v != nil {
			return nil, misplaced(Peek(v), ks, n)
		}
		return setSlice(m, v, k, ks[1:], n)
	}
	return nil, misplaced(Peek(v), ks, n)
}

func isArray(v any) bool {
	switch v.(type) {
	case []any, *list:
		return true
	}
	return false
}

func setMember(m *Task, x *object.Object, k string, rest []any, n any) (any, error) {
	u, err := setIn(m, x.Get(k), rest, n)
	if err != nil {
		return nil, err
	}
	y, copied := x.With(m.mine(), k, u)
	return y, m.Alloc(EntrySize * (copied + 1))
}

// tooLarge is the smallest index that jq doesn't allow in an array.
const tooLarge = 1 << 29

func setElement(m *Task, x any, i int, rest []any, n any) (any, error) {
	size, j := lengthOf(x), i
	if j < 0 {
		j += size
	}
	switch {
	case j < 0:
		return nil, TextError("Out of bounds negative array index")
	case j >= tooLarge && j >= size:
		return nil, TextError("Array index too large")
	}
	u, err := setIn(m, elementOf(x, j), rest, n)
	if err != nil {
		return nil, err
	}
	return WithElement(m, x, j, u)
}

// elementOf returns the element at index i of an array, or null if the index is beyond
// the end.
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

func setSlice(m *Task, v any, k *object.Object, rest []any, n any) (any, error) {
	looked, err := m.Borrow(v)
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
		if u, err = setIn(m, slices.Clone(x[i:j]), rest, n); err != nil {
			return nil, err
		}
	}
	if u, err = m.Force(u); err != nil {
		return nil, err
	}
	part, ok := u.([]any)
	if !ok {
		return nil, TextError("A slice of an array can only be assigned another array")
	}
	if len(part) == j-i && len(part) < len(x)/2 {
		for k, w := range part {
			if v, err = WithElement(m, v, i+k, w); err != nil {
				return nil, err
			}
		}
		return v, nil
	}
	size := len(x) - (j - i) + len(part)
	if err := m.Alloc(ItemSize * size); err != nil {
		return nil, err
	}
	y := make([]any, 0, max(size, 1))
	return append(append(append(y, x[:i]...), part...), x[j:]...), nil
}
