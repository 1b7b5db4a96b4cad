package eval

import (
	"strings"
	"unicode/utf8"

	"github.com/meshq/kubectl-meshq/query/syntax/native"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// searchBuiltins find a value in an array, or a text in another.
func searchBuiltins() map[string]builtin {
	where := func(choose func(m *mach, places any) (any, error)) builtin {
		return forced(func(m *mach, v any, a []any) (any, error) {
			places, err := m.places(v, a[0])
			if err != nil {
				return nil, err
			}
			return choose(m, places)
		})
	}
	return map[string]builtin{
		"indices/1": where(func(_ *mach, places any) (any, error) { return places, nil }),
		"index/1":   where(func(m *mach, places any) (any, error) { return m.member(places, 0) }),
		"rindex/1":  where(func(m *mach, places any) (any, error) { return m.lastOf(places) }),
		"_strindices/1": forced(func(m *mach, v any, a []any) (any, error) { // what jq has under indices
			part, err := m.deep(a[0])
			if err != nil {
				return nil, err
			}
			s, ok1 := v.(string)
			t, ok2 := part.(string)
			switch {
			case !ok1:
				return nil, cannot(v, "cannot be searched, as it is not a string")
			case !ok2:
				return nil, cannot(part, "is not a string")
			}
			return m.placesIn(s, t)
		}),
		"contains/1": value(func(m *mach, v any, a []any) (any, error) { return m.contain(v, a[0]) }),
		"inside/1":   value(func(m *mach, v any, a []any) (any, error) { return m.contain(a[0], v) }),
	}
}

// lastOf is .[-1:][0].
func (m *mach) lastOf(v any) (any, error) {
	last, err := m.memberRare(v, object.Of("start", -1, "end", nil))
	if err != nil {
		return nil, err
	}
	return m.member(last, 0)
}

// contain is contains: an error for two values of different kinds.
func (m *mach) contain(v, x any) (any, error) {
	v, x, err := m.force2(v, x)
	if err != nil {
		return nil, err
	}
	holds, alike, err := m.contains(v, x)
	if err == nil && !alike {
		err = cannotBoth(v, x, "cannot have their containment checked")
	}
	return holds, err
}

// contains tells whether all of x is in v, looking at nothing that x has no
// part of; alike is false for values of different kinds.
func (m *mach) contains(v, x any) (holds, alike bool, err error) {
	if v, x, err = m.force2(v, x); err != nil {
		return false, false, err
	}
	switch v := v.(type) {
	case nil, bool:
		return v == x, v == x, nil
	case string:
		t, ok := x.(string)
		return ok && strings.Contains(v, t), ok, nil
	case []any:
		if part, ok := x.([]any); ok {
			holds, err = m.containsAll(v, part)
			return holds, true, err
		}
		return false, false, nil
	case *object.Object:
		if part, ok := x.(*object.Object); ok {
			holds, err = m.containsMembers(v, part)
			return holds, true, err
		}
		return false, false, nil
	}
	if native.TypeOf(x) != "number" {
		return false, false, nil
	}
	return native.Compare(v, x) == 0, true, nil
}

// containsAll tells whether each element of part is in one of v.
func (m *mach) containsAll(v, part []any) (bool, error) {
	if err := m.nest("Containment check"); err != nil {
		return false, err
	}
	defer func() { m.nesting-- }()
	for _, x := range part {
		found := false
		for i := 0; i < len(v) && !found; i++ {
			if err := m.tick(); err != nil {
				return false, err
			}
			var err error
			if found, _, err = m.contains(v[i], x); err != nil {
				return false, err
			}
		}
		if !found {
			return false, nil
		}
	}
	return true, nil
}

func (m *mach) containsMembers(v, part *object.Object) (bool, error) {
	if err := m.nest("Containment check"); err != nil {
		return false, err
	}
	defer func() { m.nesting-- }()
	if v.Len() < part.Len() {
		return false, nil
	}
	for _, k := range part.Sorted() {
		w, ok := v.Lookup(k)
		if !ok {
			return false, nil
		}
		if holds, _, err := m.contains(w, part.Get(k)); !holds || err != nil {
			return false, err
		}
	}
	return true, nil
}

// places gives every place where x begins in v. An array is looked for as a part
// of one, anything else as an element. Of anything else it gives v[x], as jq.
func (m *mach) places(v, x any) (any, error) {
	x, err := m.force(x)
	if err != nil {
		return nil, err
	}
	switch v := v.(type) {
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
	return m.member(v, x)
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
