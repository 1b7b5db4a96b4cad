package values

import (
	"cmp"
	"encoding/json"
	"slices"

	"github.com/meshq/kubectl-meshq/query/syntax/native"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// Compare compares two values in jq's order. The result is negative if a < b, zero if a =
// b, and positive if a > b. Compare loads only as much of the values as it needs.
func Compare(m *Task, a, b any) (int, error) {
	a, b, err := m.ForceBoth(a, b)
	if err != nil {
		return 0, err
	}
	switch x := a.(type) {
	case string:
		if y, ok := b.(string); ok {
			return cmp.Compare(x, y), nil
		}
	case int:
		if y, ok := b.(int); ok {
			return cmp.Compare(x, y), nil
		}
	case []any:
		if y, ok := b.([]any); ok {
			return CompareArrays(m, x, y)
		}
	case *object.Object:
		if y, ok := b.(*object.Object); ok {
			return compareObjects(m, x, y)
		}
	}
	return native.Compare(a, b), nil // scalars, or values of different types; in both cases nothing has to be loaded
}

// CompareArrays compares two arrays in jq's order.
func CompareArrays(m *Task, x, y []any) (int, error) {
	if err := m.Nest("Comparison"); err != nil {
		return 0, err
	}
	defer func() { m.nesting-- }()
	for i := range min(len(x), len(y)) {
		if c, err := Compare(m, x[i], y[i]); c != 0 || err != nil {
			return c, err
		}
	}
	return cmp.Compare(len(x), len(y)), nil
}

// compareObjects compares two objects. It first compares the sorted keys, and then the
// values in the order of these keys.
func compareObjects(m *Task, x, y *object.Object) (int, error) {
	if err := m.Nest("Comparison"); err != nil {
		return 0, err
	}
	defer func() { m.nesting-- }()
	keys := x.Sorted()
	if c := slices.Compare(keys, y.Sorted()); c != 0 {
		return c, nil
	}
	for _, k := range keys {
		if c, err := Compare(m, x.Get(k), y.Get(k)); c != 0 || err != nil {
			return c, err
		}
	}
	return 0, nil
}

// equal reports whether Compare would return 0. It is faster than Compare.
func equal(m *Task, a, b any) (bool, error) {
	eq, err := isEqual(m, a, b)
	if err == TextError("Comparison too deep") {
		err = TextError("Equality check too deep")
	}
	return eq, err
}

func isEqual(m *Task, a, b any) (bool, error) {
	a, b, err := m.ForceBoth(a, b)
	if err != nil {
		return false, err
	}
	switch x := a.(type) {
	case string:
		y, ok := b.(string)
		return ok && x == y, nil
	case nil, bool:
		return a == b, nil
	case []any:
		y, ok := b.([]any)
		if !ok {
			return false, nil
		}
		if len(x) != len(y) {
			return false, nil
		}
		c, err := CompareArrays(m, x, y)
		return c == 0, err
	case *object.Object:
		y, ok := b.(*object.Object)
		if !ok || x.Len() != y.Len() {
			return false, nil
		}
		return equalObjects(m, x, y)
	}
	switch b.(type) {
	case int, float64, json.Number:
		c, err := Compare(m, a, b)
		return c == 0, err
	}
	return native.Compare(a, b) == 0, nil
}

func equalObjects(m *Task, x, y *object.Object) (bool, error) {
	for k := range x.All() {
		if _, ok := y.Lookup(k); !ok {
			return false, nil
		}
	}
	c, err := compareObjects(m, x, y)
	return c == 0, err
}
