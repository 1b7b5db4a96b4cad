package values

import (
	"slices"

	"github.com/meshq/kubectl-meshq/query/syntax/native"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// gone replaces the new value in a call of misplaced (the error for an update) if the
// operation is a deletion.
type gone struct{}

func deletes(n any) bool {
	_, ok := n.(gone)
	return ok
}

// DeletePaths returns v without the values at the given paths. Each path is an array
// whose parts are all loaded. Paths that don't exist are ignored.
func DeletePaths(m *Task, v any, paths []any) (any, error) {
	if len(paths) == 0 {
		return v, nil
	}
	sorted, err := sortPaths(m, paths)
	if err != nil {
		return nil, err
	}
	all := make([][]any, len(sorted))
	for i, p := range sorted {
		ks, ok := p.([]any)
		if !ok {
			return nil, TextError("Path must be specified as array, not " + KnownType(p))
		}
		if len(ks) > maxNesting {
			return nil, errLongPath
		}
		all[i] = ks
	}
	if len(all[0]) == 0 {
		return nil, nil
	}
	return without(m, v, all, 0)
}

// sortPaths sorts paths so that each path comes before all longer paths that begin with
// the same keys.
func sortPaths(m *Task, paths []any) ([]any, error) {
	var failed error
	order := func(a, b any) int {
		c, err := Compare(m, a, b)
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

// without deletes the sorted paths from v. The first depth keys of each path have already
// been followed, to v itself. First, it deletes paths inside the members of v. Then it
// deletes members of v, all at once, because deleting one member changes the indexes of
// later members.
func without(m *Task, v any, paths [][]any, depth int) (any, error) {
	was, err := m.Enter(CallWeight)
	if err != nil {
		return nil, err
	}
	defer m.Leave(was)
	if _, ok := v.(*list); !ok {
		forced, err := m.Force(v)
		if err != nil || forced == nil {
			return v, err
		}
		v = forced
	}
	if isArray(v) {
		if paths, err = canonical(m, paths, depth, v); err != nil {
			return nil, err
		}
	}
	var keys []any
	for len(paths) > 0 {
		key := paths[0][depth]
		n := 1
		for n < len(paths) {
			c, err := Compare(m, key, paths[n][depth])
			if err != nil {
				return nil, err
			}
			if c != 0 {
				break
			}
			n++
		}
		group := paths[:n]
		paths = paths[n:]
		if err := deletable(m, v, group[0][depth:]); err != nil {
			return nil, err
		}
		if len(group[0]) == depth+1 {
			keys = append(keys, key)
			continue
		}
		old, err := inside(m, v, key)
		if err != nil {
			return nil, err
		}
		u, err := without(m, old, group, depth+1)
		if err != nil {
			return nil, err
		}
		if u == nil || same(u, old) {
			continue
		}
		if v, err = setIn(m, v, []any{key}, u); err != nil {
			return nil, err
		}
	}
	if len(keys) == 0 {
		return v, nil
	}
	if x, ok := v.(*object.Object); ok {
		for _, k := range keys {
			y, copied := x.Without(m.mine(), k.(string))
			if err := m.Alloc(EntrySize * copied); err != nil {
				return nil, err
			}
			x = y
		}
		return x, nil
	}
	return withoutElements(m, v, keys)
}

// canonical converts equal indexes of an array, such as 1 and 1.0, to the same int, and
// drops paths whose index is out of range. It returns an error for a path that can't be
// deleted inside its element, even if another path deletes that whole element.
func canonical(m *Task, paths [][]any, depth int, v any) ([][]any, error) {
	n := lengthOf(v)
	odd := func(p []any) bool {
		i, ok := p[depth].(int)
		return (!ok || i < 0 || i >= n) && native.TypeOf(p[depth]) == "number"
	}
	if !slices.ContainsFunc(paths, odd) {
		return paths, nil
	}
	var out [][]any
	for _, p := range paths {
		if odd(p) {
			i, ok := native.ToInt(p[depth])
			if i < 0 {
				i += n
			}
			if !ok || i < 0 || i >= n {
				continue
			}
			p = slices.Clone(p)
			p[depth] = i
			if rest := p[depth+1:]; len(rest) > 0 {
				old, err := m.Borrow(elementOf(v, i))
				if err == nil && old != nil {
					err = deletable(m, old, rest)
				}
				if err != nil {
					return nil, err
				}
			}
		}
		out = append(out, p)
	}
	slices.SortStableFunc(out, func(a, b []any) int {
		x, ok1 := a[depth].(int)
		y, ok2 := b[depth].(int)
		switch {
		case !ok1 || !ok2:
			return 0
		case x != y:
			return x - y
		}
		return len(a) - len(b) // a shorter path comes before longer paths that begin with the same keys
	})
	return out, nil
}

// inside returns the part of v that the key of a path refers to: a member, an element or
// a slice.
func inside(m *Task, v, key any) (any, error) {
	switch k := key.(type) {
	case string:
		return v.(*object.Object).Get(k), nil
	case *object.Object:
		items, _ := v.([]any)
		if l, ok := v.(*list); ok {
			items = l.elements()
		}
		i, j, err := edges(len(items), k)
		if err != nil {
			return nil, err
		}
		return items[i:j:j], nil
	}
	i, ok := native.ToInt(key)
	if i < 0 {
		i += lengthOf(v)
	}
	if !ok || i < 0 {
		return nil, nil
	}
	return elementOf(v, i), nil
}

// deletable returns an error if v can't have the first key of the path ks, for example a
// string key in an array.
func deletable(m *Task, v any, ks []any) error {
	ok := false
	switch ks[0].(type) {
	case string:
		_, ok = v.(*object.Object)
	case *object.Object:
		ok = isArray(v)
	default:
		ok = isArray(v) && native.TypeOf(ks[0]) == "number"
	}
	if ok {
		return nil
	}
	v, err := m.Force(v)
	if err != nil {
		return err
	}
	return misplaced(v, ks, gone{})
}

// withoutElements returns an array without the elements and slices that the keys refer
// to.
func withoutElements(m *Task, v any, keys []any) (any, error) {
	n := lengthOf(v)
	if i, ok := keys[0].(int); ok && len(keys) == 1 && n >= listMost {
		switch i {
		case -1, n - 1:
			return cutList(m, v, listCut)
		case 0:
			return cutList(m, v, listShift)
		}
	}
	dead := make([]bool, n)
	for _, key := range keys {
		from, to := 0, 0
		if k, ok := key.(*object.Object); ok {
			var err error
			if from, to, err = edges(n, k); err != nil {
				return nil, err
			}
		} else if i, ok := native.ToInt(key); ok && !IsNaN(key) {
			if i < 0 {
				i += n
			}
			if 0 <= i && i < n {
				from, to = i, i+1
			}
		}
		for ; from < to; from++ {
			dead[from] = true
		}
	}
	if err := m.Alloc(ItemSize * n); err != nil {
		return nil, err
	}
	out := make([]any, 0, n)
	for i, gone := range dead {
		if !gone {
			out = append(out, elementOf(v, i))
		}
	}
	if len(out) == n {
		return v, nil
	}
	return out, nil
}
