package eval

import (
	"strings"
	"unicode/utf8"
)

// searchBuiltins find a value in an array, or a text in another.
func searchBuiltins() map[string]builtin {
	where := func(name string, choose func(places []any) any) builtin {
		return forced(func(m *mach, v any, a []any) (any, error) {
			places, err := m.places(name, v, a[0])
			if err != nil || places == nil {
				return nil, err
			}
			return choose(places), nil
		})
	}
	return map[string]builtin{
		"indices/1": where("indices", func(places []any) any { return places }),
		"index/1": where("index", func(places []any) any {
			if len(places) == 0 {
				return nil
			}
			return places[0]
		}),
		"rindex/1": where("rindex", func(places []any) any {
			if len(places) == 0 {
				return nil
			}
			return places[len(places)-1]
		}),
		"contains/1": forced(func(m *mach, v any, a []any) (any, error) {
			x, err := m.force(a[0])
			if err != nil {
				return nil, err
			}
			s, ok1 := v.(string)
			t, ok2 := x.(string)
			if ok1 && ok2 {
				return strings.Contains(s, t), nil
			}
			return m.fallback("contains($b)", v, x)
		}),
	}
}

// places gives every place where x begins in v, nil when v is null. An array
// is looked for as a part of one, anything else as an element.
func (m *mach) places(name string, v, x any) ([]any, error) {
	x, err := m.force(x)
	if err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case nil:
		return nil, nil
	case []any:
		part, ok := x.([]any)
		if !ok {
			part = []any{x}
		}
		return m.placesOf(v, part)
	case string:
		if t, ok := x.(string); ok {
			return m.placesIn(v, t)
		}
	}
	return nil, misappliedBy(name, v, x)
}

func (m *mach) placesOf(v, part []any) ([]any, error) {
	out := []any{}
	if len(part) == 0 {
		return out, nil
	}
	for i := 0; i+len(part) <= len(v); i++ {
		if err := m.tick(); err != nil {
			return nil, err
		}
		c, err := m.compareArrays(v[i:i+len(part)], part)
		if err != nil {
			return nil, err
		}
		if c == 0 {
			if out, err = m.push(out, i); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// placesIn gives the places in characters; they may overlap.
func (m *mach) placesIn(s, t string) ([]any, error) {
	out := []any{}
	if t == "" {
		return out, nil
	}
	_, width := utf8.DecodeRuneInString(t)
	r := runes{s: s}
	for from := 0; ; {
		if err := m.tick(); err != nil {
			return nil, err
		}
		i := strings.Index(s[from:], t)
		if i < 0 {
			return out, nil
		}
		var err error
		if out, err = m.push(out, r.at(from+i)); err != nil {
			return nil, err
		}
		from += i + width
	}
}
