package builtin

import (
	"strings"
	"unicode/utf8"

	"github.com/meshq/kubectl-meshq/query/syntax/native"
	"github.com/meshq/kubectl-meshq/query/values"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// searchBuiltins returns the builtins that find a value in an array, or a string in
// another string.
func searchBuiltins() map[string]values.Func {
	where := func(choose func(m *values.Task, places any) (any, error)) values.Func {
		return forced(func(m *values.Task, v any, a []any) (any, error) {
			places, err := indices(m, v, a[0])
			if err != nil {
				return nil, err
			}
			return choose(m, places)
		})
	}
	return map[string]values.Func{
		"indices/1": where(func(_ *values.Task, places any) (any, error) { return places, nil }),
		"index/1":   where(func(m *values.Task, places any) (any, error) { return values.Member(m, places, 0) }),
		"rindex/1":  where(func(m *values.Task, places any) (any, error) { return lastOf(m, places) }),
		// jq's definition of the builtin indices calls this function
		"_strindices/1": forced(func(m *values.Task, v any, a []any) (any, error) {
			part, err := m.Deep(a[0])
			if err != nil {
				return nil, err
			}
			s, ok1 := v.(string)
			t, ok2 := part.(string)
			switch {
			case !ok1:
				return nil, values.Cannot(v, "cannot be searched, as it is not a string")
			case !ok2:
				return nil, values.Cannot(part, "is not a string")
			}
			return indicesIn(m, s, t)
		}),
		"contains/1": func(m *values.Task, v any, a []any) (any, error) { return contain(m, v, a[0]) },
		"inside/1":   func(m *values.Task, v any, a []any) (any, error) { return contain(m, a[0], v) },
	}
}

// lastOf returns the last element of an array, as .[-1:][0] does.
func lastOf(m *values.Task, v any) (any, error) {
	last, err := values.Member(m, v, object.Of("start", -1, "end", nil))
	if err != nil {
		return nil, err
	}
	return values.Member(m, last, 0)
}

// contain implements the builtin contains. It returns an error if the two values have
// different types.
func contain(m *values.Task, v, x any) (any, error) {
	v, x, err := m.ForceBoth(v, x)
	if err != nil {
		return nil, err
	}
	holds, alike, err := contains(m, v, x)
	if err == nil && !alike {
		err = values.CannotBoth(v, x, "cannot have their containment checked")
	}
	return holds, err
}

// contains reports whether v contains x in jq's sense. It loads only the members of v
// that x also has. alike is false if the values have different types.
func contains(m *values.Task, v, x any) (holds, alike bool, err error) {
	if v, x, err = m.ForceBoth(v, x); err != nil {
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
			holds, err = containsAll(m, v, part)
			return holds, true, err
		}
		return false, false, nil
	case *object.Object:
		if part, ok := x.(*object.Object); ok {
			holds, err = containsMembers(m, v, part)
			return holds, true, err
		}
		return false, false, nil
	}
	if native.TypeOf(x) != "number" {
		return false, false, nil
	}
	return native.Compare(v, x) == 0, true, nil
}

// containsAll reports whether each element of the array part is contained in some element
// of the array v.
func containsAll(m *values.Task, v, part []any) (bool, error) {
	if err := m.Nest("Containment check"); err != nil {
		return false, err
	}
	defer m.Unnest()
	for _, x := range part {
		found := false
		for i := 0; i < len(v) && !found; i++ {
			if err := m.Tick(); err != nil {
				return false, err
			}
			var err error
			if found, _, err = contains(m, v[i], x); err != nil {
				return false, err
			}
		}
		if !found {
			return false, nil
		}
	}
	return true, nil
}

func containsMembers(m *values.Task, v, part *object.Object) (bool, error) {
	if err := m.Nest("Containment check"); err != nil {
		return false, err
	}
	defer m.Unnest()
	if v.Len() < part.Len() {
		return false, nil
	}
	for _, k := range part.Sorted() {
		w, ok := v.Lookup(k)
		if !ok {
			return false, nil
		}
		if holds, _, err := contains(m, w, part.Get(k)); !holds || err != nil {
			return false, err
		}
	}
	return true, nil
}

// indices returns the indexes at which x occurs in v. If both are arrays, or both are
// strings, x is a part of v. If only v is an array, x is a single element. In all other
// cases, indices returns v[x], as jq does.
func indices(m *values.Task, v, x any) (any, error) {
	x, err := m.Force(x)
	if err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case []any:
		part, ok := x.([]any)
		if !ok {
			part = []any{x}
		}
		return values.IndicesOf(m, v, part)
	case string:
		if t, ok := x.(string); ok {
			return indicesIn(m, v, t)
		}
	}
	return values.Member(m, v, x)
}

// indicesIn returns the character offsets at which t occurs in s. Occurrences may
// overlap.
func indicesIn(m *values.Task, s, t string) ([]any, error) {
	out := []any{}
	if t == "" {
		return out, nil
	}
	_, width := utf8.DecodeRuneInString(t)
	r := runes{s: s}
	for from := 0; ; {
		if err := m.Tick(); err != nil {
			return nil, err
		}
		i := strings.Index(s[from:], t)
		if i < 0 {
			return out, nil
		}
		var err error
		if out, err = m.Push(out, r.at(from+i)); err != nil {
			return nil, err
		}
		from += i + width
	}
}
