package eval

import (
	"cmp"
	"encoding/json"
	"slices"

	"github.com/meshq/kubectl-meshq/query/syntax/native"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// compare orders values as jq does, looking into them no further than it must.
func (m *mach) compare(a, b any) (int, error) {
	a, b, err := m.force2(a, b)
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
			return m.compareArrays(x, y)
		}
	case *object.Object:
		if y, ok := b.(*object.Object); ok {
			return m.compareObjects(x, y)
		}
	}
	return native.Compare(a, b), nil // scalars, or of two types: nothing inside is looked at
}

func (m *mach) compareArrays(x, y []any) (int, error) {
	if err := m.nest("Comparison"); err != nil {
		return 0, err
	}
	defer func() { m.nesting-- }()
	for i := range min(len(x), len(y)) {
		if c, err := m.compare(x[i], y[i]); c != 0 || err != nil {
			return c, err
		}
	}
	return cmp.Compare(len(x), len(y)), nil
}

// compareObjects compares the keys first, then the members in their order.
func (m *mach) compareObjects(x, y *object.Object) (int, error) {
	if err := m.nest("Comparison"); err != nil {
		return 0, err
	}
	defer func() { m.nesting-- }()
	keys := x.Sorted()
	if c := slices.Compare(keys, y.Sorted()); c != 0 {
		return c, nil
	}
	for _, k := range keys {
		if c, err := m.compare(x.Get(k), y.Get(k)); c != 0 || err != nil {
			return c, err
		}
	}
	return 0, nil
}

// equal tells whether compare would give 0, with less work.
func (m *mach) equal(a, b any) (bool, error) {
	eq, err := m.isEqual(a, b)
	if err == plainError("Comparison too deep") {
		err = plainError("Equality check too deep")
	}
	return eq, err
}

func (m *mach) isEqual(a, b any) (bool, error) {
	a, b, err := m.force2(a, b)
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
		c, err := m.compareArrays(x, y)
		return c == 0, err
	case *object.Object:
		y, ok := b.(*object.Object)
		if !ok || x.Len() != y.Len() {
			return false, nil
		}
		return m.equalObjects(x, y)
	}
	switch b.(type) {
	case int, float64, json.Number:
		c, err := m.compare(a, b)
		return c == 0, err
	}
	return native.Compare(a, b) == 0, nil
}

func (m *mach) equalObjects(x, y *object.Object) (bool, error) {
	for k := range x.All() {
		if _, ok := y.Lookup(k); !ok {
			return false, nil
		}
	}
	c, err := m.compareObjects(x, y)
	return c == 0, err
}
