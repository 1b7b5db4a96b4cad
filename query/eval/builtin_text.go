package eval

import (
	"cmp"
	"encoding/json"
	"math/big"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/meshq/kubectl-meshq/query/jsontext"
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
		"fromjson/0": forced(func(m *mach, v any, _ []any) (any, error) {
			text, ok := v.(string)
			if !ok {
				return nil, cannot(v, "only strings can be parsed")
			}
			if err := m.alloc(8 * len(text)); err != nil {
				return nil, err
			}
			type parsed struct {
				v   any
				err error
			}
			r, err := aside(m, len(text), func() parsed {
				v, err := jsontext.Parse(text)
				return parsed{v, err}
			})
			return r.v, cmp.Or(err, r.err)
		}),
		"startswith/1": ofStrings("startswith", func(_ *mach, a, b string) (any, error) { return strings.HasPrefix(a, b), nil }),
		"endswith/1":   ofStrings("endswith", func(_ *mach, a, b string) (any, error) { return strings.HasSuffix(a, b), nil }),
		"ltrimstr/1":   ofStrings("ltrimstr", func(_ *mach, a, b string) (any, error) { return strings.TrimPrefix(a, b), nil }),
		"rtrimstr/1":   ofStrings("rtrimstr", func(_ *mach, a, b string) (any, error) { return strings.TrimSuffix(a, b), nil }),
		"trimstr/1": ofStrings("trimstr", func(_ *mach, a, b string) (any, error) {
			return strings.TrimSuffix(strings.TrimPrefix(a, b), b), nil
		}),
		"ascii_downcase/0": ofString("ascii_downcase", func(m *mach, s string) (any, error) { return strings.Map(lower, s), m.alloc(len(s)) }),
		"ascii_upcase/0":   ofString("ascii_upcase", func(m *mach, s string) (any, error) { return strings.Map(upper, s), m.alloc(len(s)) }),
		"trim/0":           ofString("trim", func(_ *mach, s string) (any, error) { return strings.TrimSpace(s), nil }),
		"ltrim/0":          ofString("ltrim", func(_ *mach, s string) (any, error) { return strings.TrimLeftFunc(s, unicode.IsSpace), nil }),
		"rtrim/0":          ofString("rtrim", func(_ *mach, s string) (any, error) { return strings.TrimRightFunc(s, unicode.IsSpace), nil }),
		"utf8bytelength/0": ofString("utf8bytelength", func(_ *mach, s string) (any, error) { return len(s), nil }),
		"explode/0":        ofString("explode", func(m *mach, s string) (any, error) { return m.explode(s) }),
		"tonumber/0":       forced(func(m *mach, v any, _ []any) (any, error) { return m.number(v) }),
		"split/1":          ofStrings("split", func(m *mach, a, b string) (any, error) { return m.split(a, b) }),
		"join/1":           forced(func(m *mach, v any, a []any) (any, error) { return m.join(v, a[0]) }),
	}
}

func lower(r rune) rune {
	if 'A' <= r && r <= 'Z' {
		return r + ('a' - 'A')
	}
	return r
}

func upper(r rune) rune {
	if 'a' <= r && r <= 'z' {
		return r - ('a' - 'A')
	}
	return r
}

// explode gives the numbers of the characters.
func (m *mach) explode(s string) (any, error) {
	n := utf8.RuneCountInString(s)
	if err := m.alloc(textSize * n); err != nil {
		return nil, err
	}
	out := make([]any, 0, n)
	for _, r := range s {
		if err := m.tick(); err != nil {
			return nil, err
		}
		out = append(out, int(r))
	}
	return out, nil
}

// number gives a number as it is, and what a text says.
func (m *mach) number(v any) (any, error) {
	switch v := v.(type) {
	case int, float64, json.Number, *big.Int:
		return v, nil
	case string:
		if i, err := strconv.Atoi(v); err == nil && v[0] != '+' {
			return i, nil
		}
		return numberIn(v)
	}
	return nil, noNumber(v)
}

// numberIn gives the number that a text is, as in JSON or a little freer.
func numberIn(text string) (any, error) {
	if n, ok := native.ParseNumber(text); ok {
		return n, nil
	}
	return nil, noNumber(text)
}

func noNumber(v any) error { return cannot(v, "cannot be parsed as a number") }

// ofString makes a function of a string.
func ofString(name string, fn func(m *mach, s string) (any, error)) builtin {
	return forced(func(m *mach, v any, _ []any) (any, error) {
		if s, ok := v.(string); ok {
			return fn(m, s)
		}
		return nil, needsString(name, v)
	})
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
			return nil, needsString(name, v)
		}
		return fn(m, a, b)
	})
}

// marshal gives the JSON text of a value.
func (m *mach) marshal(v any) (string, error) {
	if i, ok := v.(int); ok {
		return strconv.Itoa(i), nil
	}
	v, size, err := m.extent(v)
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
		return nil, cannotIterate(v)
	}
	if len(xs) == 0 {
		return "", nil
	}
	s := sum{m: m}
	for i, x := range xs {
		if err := m.tick(); err != nil {
			return nil, err
		}
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
