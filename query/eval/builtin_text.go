package eval

import (
	"encoding/json"
	"math/big"
	"strings"

	"github.com/meshq/kubectl-meshq/query/syntax/native"
)

// textBuiltins make strings, and look at them.
func textBuiltins() map[string]builtin {
	return map[string]builtin{
		"tojson/0": value(func(m *mach, v any, _ []any) (any, error) {
			text, err := m.marshal(v)
			return text, err
		}),
		"tostring/0": value(func(m *mach, v any, _ []any) (any, error) {
			v, err := m.force(v)
			if err != nil {
				return nil, err
			}
			if s, ok := v.(string); ok {
				return s, nil
			}
			text, err := m.marshal(v)
			return text, err
		}),
		"startswith/1": ofStrings("startswith", func(_ *mach, a, b string) (any, error) { return strings.HasPrefix(a, b), nil }),
		"endswith/1":   ofStrings("endswith", func(_ *mach, a, b string) (any, error) { return strings.HasSuffix(a, b), nil }),
		"ltrimstr/1":   ofStrings("ltrimstr", func(_ *mach, a, b string) (any, error) { return strings.TrimPrefix(a, b), nil }),
		"rtrimstr/1":   ofStrings("rtrimstr", func(_ *mach, a, b string) (any, error) { return strings.TrimSuffix(a, b), nil }),
		"trimstr/1": ofStrings("trimstr", func(_ *mach, a, b string) (any, error) {
			return strings.TrimSuffix(strings.TrimPrefix(a, b), b), nil
		}),
		"split/1": ofStrings("split", func(m *mach, a, b string) (any, error) { return m.split(a, b) }),
		"join/1":  forced(func(m *mach, v any, a []any) (any, error) { return m.join(v, a[0]) }),
	}
}

// ofStrings makes a function of two strings.
func ofStrings(name string, fn func(m *mach, a, b string) (any, error)) builtin {
	return forced(func(m *mach, v any, args []any) (any, error) {
		w, err := m.force(args[0])
		if err != nil {
			return nil, err
		}
		a, ok1 := v.(string)
		b, ok2 := w.(string)
		if !ok1 || !ok2 {
			return nil, misappliedBy(name, v, w)
		}
		return fn(m, a, b)
	})
}

// marshal gives the JSON text of a value.
func (m *mach) marshal(v any) (string, error) {
	v, err := m.deep(v)
	if err != nil {
		return "", err
	}
	size, err := m.extent(v)
	if err != nil {
		return "", err
	}
	if err := m.alloc(3 * size); err != nil { // the buffer grows by doubling, and is copied
		return "", err
	}
	return aside(m, size, func() string { return native.Marshal(v) })
}

// sizeAside is the text from which on work on it is done aside.
const sizeAside = 1 << 18

// aside does work that can't be interrupted, on so many bytes. When the
// context ends first the work is left alone.
func aside[T any](m *mach, size int, work func() T) (T, error) {
	if size < sizeAside {
		return work(), nil
	}
	v, err := native.Aside(m.ctx, func() (any, error) { return work(), nil })
	t, _ := v.(T)
	return t, err
}

// join joins the members of a container, as text, by a separator.
func (m *mach) join(v, sep any) (any, error) {
	xs, ok := members(v)
	if !ok {
		return nil, misappliedBy("join", v, sep)
	}
	if len(xs) == 0 {
		return "", nil
	}
	s := sum{m: m}
	for i, x := range xs {
		between := sep
		if i == 0 {
			between = ""
		}
		if err := s.push(between); err != nil {
			return nil, err
		}
		x, err := m.force(x)
		if err != nil {
			return nil, err
		}
		switch x.(type) {
		case bool, int, float64, *big.Int, json.Number:
			x = native.Marshal(x)
		}
		if err := s.push(x); err != nil {
			return nil, err
		}
	}
	return s.result()
}

// extent gives about how long the JSON text of a plain value is. It ends, with
// the budget's error, as soon as that is too long.
func (m *mach) extent(v any) (int, error) {
	n := 0
	err := m.measure(v, &n)
	return n, err
}

func (m *mach) measure(v any, n *int) error {
	switch v := v.(type) {
	case string:
		*n += len(v) + 2
	case json.Number:
		*n += len(v)
	case *big.Int:
		*n += v.BitLen()/3 + 1
	case []any:
		*n += len(v) + 2
		for _, w := range v {
			if err := m.measure(w, n); err != nil {
				return err
			}
		}
		return m.measured(*n)
	case map[string]any:
		*n += 4*len(v) + 2
		for k, w := range v {
			*n += len(k)
			if err := m.measure(w, n); err != nil {
				return err
			}
		}
		return m.measured(*n)
	default:
		*n += 8
	}
	return nil
}

func (m *mach) measured(n int) error {
	if int64(n) > m.run.budget.max {
		return m.run.budget.exceeded()
	}
	return m.tick()
}
