package eval

import (
	"math"
	"strings"
	"unicode/utf8"

	"github.com/meshq/kubectl-meshq/query/syntax/native"
	"github.com/meshq/kubectl-meshq/sources/object"
)

func (m *mach) addArrays(x, y []any) (any, error) {
	if len(x) == 0 {
		return y, nil
	}
	if len(y) == 0 {
		return x, nil
	}
	if err := m.alloc(itemSize * (len(x) + len(y))); err != nil {
		return nil, err
	}
	return append(append(make([]any, 0, len(x)+len(y)), x...), y...), nil
}

// appended is an array with the elements of another behind its own, in place
// where it may be.
func (m *mach) appended(a any, y []any) (any, error) {
	if len(y) == 0 {
		return a, nil
	}
	return m.withElements(a, y)
}

func (m *mach) addObjects(x, y *object.Object) (any, error) {
	if x.Len() == 0 {
		return y, nil
	}
	if y.Len() == 0 {
		return x, nil
	}
	if y.Len() > x.Len() {
		if err := m.alloc(entrySize * (x.Len() + y.Len())); err != nil {
			return nil, err
		}
		z := object.New(x.Len() + y.Len())
		z.SetAll(x)
		z.SetAll(y)
		return z, nil
	}
	for k, v := range y.All() {
		z, copied := x.With(m.mine(), k, v)
		if err := m.alloc(entrySize * (copied + 1)); err != nil {
			return nil, err
		}
		x = z
	}
	return x, nil
}

// subtract takes from an array what is in another.
func subtract(m *mach, a, b any) (any, bool, error) {
	x, ok1 := a.([]any)
	y, ok2 := b.([]any)
	if !ok1 || !ok2 {
		return nil, false, nil
	}
	out := make([]any, 0, len(x))
	for _, v := range x {
		found, err := m.within(y, v)
		if err != nil {
			return nil, false, err
		}
		if !found {
			out = append(out, v)
		}
	}
	return out, true, m.alloc(itemSize * len(x))
}

// within tells whether an element of xs equals v.
func (m *mach) within(xs []any, v any) (bool, error) {
	for _, x := range xs {
		if err := m.tick(); err != nil {
			return false, err
		}
		if eq, err := m.equal(v, x); eq || err != nil {
			return eq, err
		}
	}
	return false, nil
}

// multiply merges objects, and repeats strings.
func multiply(m *mach, a, b any) (any, bool, error) {
	if x, ok := a.(*object.Object); ok {
		if y, ok := b.(*object.Object); ok {
			v, err := m.merge(x, y)
			return v, true, err
		}
		return nil, false, nil
	}
	s, ok1 := a.(string)
	n, ok2 := native.ToFloat(b)
	if !ok1 {
		s, ok1 = b.(string)
		n, ok2 = native.ToFloat(a)
	}
	if !ok1 || !ok2 {
		return nil, false, nil
	}
	if n < 0 || math.IsNaN(n) {
		return nil, true, nil
	}
	count := int(min(n, math.MaxInt32))
	if len(s)*count >= math.MaxInt32 {
		return nil, false, nil // gojq's error
	}
	if err := m.alloc(len(s) * count); err != nil {
		return nil, false, err
	}
	return strings.Repeat(s, count), true, nil
}

// merge puts the members of y into x; objects that both have are merged too.
func (m *mach) merge(x, y *object.Object) (any, error) {
	if err := m.nest("Object merge"); err != nil {
		return nil, err
	}
	defer func() { m.nesting-- }()
	if err := m.alloc(entrySize * (x.Len() + y.Len())); err != nil {
		return nil, err
	}
	z := object.New(x.Len() + y.Len())
	z.SetAll(x)
	for k, v := range y.All() {
		if old, ok := x.Lookup(k); ok {
			inner, err := m.mergeMember(old, v)
			if err != nil {
				return nil, err
			}
			v = inner
		}
		z.Set(k, v)
	}
	return z, nil
}

func (m *mach) mergeMember(old, v any) (any, error) {
	o, err := m.force(old)
	if err != nil {
		return nil, err
	}
	x, ok := o.(*object.Object)
	if !ok {
		return v, nil
	}
	n, err := m.force(v)
	if err != nil {
		return nil, err
	}
	y, ok := n.(*object.Object)
	if !ok {
		return v, nil
	}
	return m.merge(x, y)
}

// divide splits a string.
func divide(m *mach, a, b any) (any, bool, error) {
	x, ok1 := a.(string)
	y, ok2 := b.(string)
	if !ok1 || !ok2 {
		return nil, false, nil
	}
	v, err := m.split(x, y)
	return v, true, err
}

// split gives the parts of s between the separators; none of an empty string.
func (m *mach) split(s, sep string) (any, error) {
	if s == "" {
		return []any{}, nil
	}
	n := strings.Count(s, sep) + 1
	if err := m.alloc(textSize * n); err != nil {
		return nil, err
	}
	if sep == "" { // the characters
		n -= 2
	}
	out := make([]any, 0, n)
	for len(out) < n-1 {
		if err := m.tick(); err != nil {
			return nil, err
		}
		i := strings.Index(s, sep)
		if sep == "" {
			_, i = utf8.DecodeRuneInString(s)
		}
		out = append(out, s[:i])
		s = s[i+len(sep):]
	}
	return append(out, s), nil
}
