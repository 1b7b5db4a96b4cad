package eval

import (
	"slices"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// delpaths gives v without what is at the paths, plain arrays each. Those that
// are not there are no error.
func (m *mach) delpaths(v any, paths []any) (any, error) {
	if len(paths) == 0 {
		return v, nil
	}
	sorted, err := m.sortPaths(paths)
	if err != nil {
		return nil, err
	}
	u, o := v, owner{}
	for _, p := range sorted {
		ks, ok := p.([]any)
		if !ok {
			return nil, plainError("Path must be specified as array, not " + kindOf(p))
		}
		if len(ks) > maxNesting {
			return nil, errLongPath
		}
		if u, err = m.set(u, ks, gone{}, o); err != nil {
			return nil, err
		}
	}
	return sweep(u, o), nil
}

// sortPaths puts what is around something before what is inside it.
func (m *mach) sortPaths(paths []any) ([]any, error) {
	var failed error
	order := func(a, b any) int {
		c, err := m.compare(a, b)
		if err != nil {
			failed = err
		}
		return c
	}
	if !slices.IsSortedFunc(paths, order) {
		paths = slices.Clone(paths)
		slices.SortFunc(paths, order)
	}
	return paths, failed
}

// sweep removes what is gone. It is found only in what the deletion owns.
func sweep(v any, o owner) any {
	switch x := v.(type) {
	case gone:
		return nil
	case *object.Object:
		if !o.has(x) {
			return x
		}
		for k, w := range x.All() {
			if deletes(w) {
				x.Delete(k)
			} else {
				x.Set(k, sweep(w, o))
			}
		}
	case []any:
		if len(x) == 0 || !o.has(x) {
			return x
		}
		left := x[:0]
		for _, w := range x {
			if !deletes(w) {
				left = append(left, sweep(w, o))
			}
		}
		clear(x[len(left):])
		return left
	}
	return v
}
