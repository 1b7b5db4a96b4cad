package eval

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/syntax/native"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// containerBuiltins look at arrays and objects, no deeper than they must: what
// is inside stays as lazy as it was.
func containerBuiltins() map[string]builtin {
	return map[string]builtin{
		"length/0":        looked(func(m *mach, v any, _ []any) (any, error) { return m.length(v) }),
		"keys/0":          forced(func(m *mach, v any, _ []any) (any, error) { return m.keys(v, true) }),
		"keys_unsorted/0": forced(func(m *mach, v any, _ []any) (any, error) { return m.keys(v, false) }),
		"type/0": value(func(m *mach, v any, _ []any) (any, error) {
			t, err := m.typeOf(v)
			return t, err
		}),
		"has/1":       looked(func(m *mach, v any, a []any) (any, error) { return m.has(v, a[0]) }),
		"reverse/0":   forced(func(m *mach, v any, _ []any) (any, error) { return m.reverse(v) }),
		"flatten/0":   forced(func(m *mach, v any, _ []any) (any, error) { return m.flatten(v) }),
		"flatten/1":   forced(func(m *mach, v any, a []any) (any, error) { return m.flattenBy(v, a[0]) }),
		"transpose/0": forced(func(m *mach, v any, _ []any) (any, error) { return m.transpose(v) }),
		"add/0":       forced(func(m *mach, v any, _ []any) (any, error) { return m.total(v) }),
		"add/1":       func(c *compiler, f *syntax.Func, s *scope) *node { return total(c.query(f.Args[0], s), c.mark(f.Span)) },
		"bsearch/1":   forced(func(m *mach, v any, a []any) (any, error) { return m.search(v, a[0]) }),
		"map/1": func(c *compiler, f *syntax.Func, s *scope) *node {
			return collect(c.seq(c.stages(f.Args[0], s, []stage{c.iterStage(f.Span, false)})))
		},
	}
}

func (m *mach) length(v any) (any, error) {
	switch v := v.(type) {
	case nil:
		return 0, nil
	case []any:
		return len(v), nil
	case *object.Object:
		return v.Len(), nil
	case string:
		return utf8.RuneCountInString(v), nil
	}
	if x, err := m.fallback("length", v); err == nil {
		return x, nil
	}
	return nil, cannot(v, "has no length")
}

// keys gives the keys of an object, as they were written or sorted, or the
// indexes of an array.
func (m *mach) keys(v any, sorted bool) (any, error) {
	switch v := v.(type) {
	case *object.Object:
		if err := m.alloc(textSize * v.Len()); err != nil {
			return nil, err
		}
		out := make([]any, 0, v.Len())
		for k := range v.All() {
			out = append(out, k)
		}
		if sorted {
			slices.SortFunc(out, func(a, b any) int { return strings.Compare(a.(string), b.(string)) })
		}
		return out, nil
	case []any:
		if err := m.alloc(textSize * len(v)); err != nil {
			return nil, err
		}
		out := make([]any, len(v))
		for i := range out {
			out[i] = i
		}
		return out, nil
	}
	return nil, cannot(v, "has no keys")
}

func (m *mach) has(v, k any) (any, error) {
	k, err := m.force(k)
	if err != nil {
		return nil, err
	}
	switch x := v.(type) {
	case nil:
		return false, nil
	case *object.Object:
		if s, ok := k.(string); ok {
			_, ok := x.Lookup(s)
			return ok, nil
		}
	case []any:
		if i, ok := native.ToInt(k); ok {
			return 0 <= i && i < len(x), nil
		}
	}
	return nil, &wordsError{func() string { return "Cannot check whether " + kindOf(v) + " has a " + kindOf(k) + " key" }}
}

func (m *mach) reverse(v any) (any, error) {
	x, ok := v.([]any)
	if !ok { // jq takes it for an array of that length
		n, err := m.length(v)
		if err != nil {
			return nil, err
		}
		last, err := add(m, n, -1)
		if c := native.Compare(n, 0); err != nil || c <= 0 {
			return []any{}, err
		}
		return nil, cannotIndex(v, last)
	}
	if err := m.alloc(itemSize * len(x)); err != nil {
		return nil, err
	}
	out := make([]any, len(x))
	copy(out, x)
	slices.Reverse(out)
	return out, nil
}

// members gives the elements of an array, or the values of an object in
// their order.
func members(v any) ([]any, bool) {
	switch v := v.(type) {
	case []any:
		return v, true
	case *object.Object:
		out := make([]any, 0, v.Len())
		for _, w := range v.All() {
			out = append(out, w)
		}
		return out, true
	}
	return nil, false
}

func (m *mach) flatten(v any) (any, error) {
	xs, ok := members(v)
	if !ok {
		return nil, cannotIterate(v)
	}
	return m.flat([]any{}, xs, math.Inf(1))
}

func (m *mach) flattenBy(v, depth any) (any, error) {
	depth, err := m.force(depth)
	if err != nil {
		return nil, err
	}
	if native.Compare(depth, 0) < 0 {
		return nil, &valueError{"flatten depth must not be negative"}
	}
	xs, ok := members(v)
	if !ok {
		return nil, cannotIterate(v)
	}
	d, ok := native.ToFloat(depth)
	for i := 0; i < len(xs) && !ok; i++ { // the depth is what can't be counted down
		if x, err := m.force(xs[i]); err != nil || kindOf(x) == "array" {
			return nil, cmp.Or(err, cannotBoth(depth, 1, "cannot be subtracted"))
		}
	}
	return m.flat([]any{}, xs, d)
}

func (m *mach) flat(out, xs []any, depth float64) ([]any, error) {
	was, err := m.enter(callWeight)
	if err != nil {
		return nil, err
	}
	defer m.leave(was)
	for _, x := range xs {
		if err := m.tick(); err != nil {
			return nil, err
		}
		if depth != 0 {
			v, err := m.force(x)
			if err != nil {
				return nil, err
			}
			if inner, ok := v.([]any); ok {
				if out, err = m.flat(out, inner, depth-1); err != nil {
					return nil, err
				}
				continue
			}
		}
		var err error
		if out, err = m.push(out, x); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (m *mach) transpose(v any) (any, error) {
	xs, ok := members(v)
	if !ok {
		return nil, cannotIterate(v)
	}
	rows, width := make([][]any, len(xs)), 0
	for i, x := range xs {
		x, err := m.force(x)
		if err != nil {
			return nil, err
		}
		if rows[i], ok = x.([]any); !ok {
			n, err := m.length(x)
			if err != nil {
				return nil, err
			}
			if native.Compare(n, 0) > 0 {
				return nil, cannotIndex(x, 0)
			}
		}
		width = max(width, len(rows[i]))
	}
	if err := m.alloc(itemSize * (width + 1) * len(rows)); err != nil {
		return nil, err
	}
	out := make([]any, width)
	for j := range out {
		if err := m.tick(); err != nil {
			return nil, err
		}
		column := make([]any, len(rows))
		for i, row := range rows {
			if j < len(row) {
				column[i] = row[j]
			}
		}
		out[j] = column
	}
	return out, nil
}

func (m *mach) total(v any) (any, error) {
	xs, ok := members(v)
	if !ok {
		return nil, cannotIterate(v)
	}
	return m.sum(xs)
}

// total is [f] | add without the array.
func total(f *node, at *place) *node {
	return one(func(m *mach, e *env, in pv) (pv, error) {
		s := sum{m: m}
		err := f.run(m, e, plain(in), func(v pv) error { return s.push(v.v) })
		if err != nil {
			return in, err
		}
		v, err := s.result()
		return in.val(v), at.of(err)
	})
}

// search finds a value in a sorted array: its index, or where it would stand
// as a negative number.
func (m *mach) search(v, x any) (any, error) {
	xs, ok := v.([]any)
	if !ok {
		return nil, cannot(v, "cannot be searched from")
	}
	var failed error
	i, found := slices.BinarySearchFunc(xs, x, func(a, b any) int {
		c, err := m.compare(a, b)
		if err != nil && failed == nil {
			failed = err
		}
		return c
	})
	if failed != nil {
		return nil, failed
	}
	if found {
		return i, nil
	}
	return -i - 1, nil
}
