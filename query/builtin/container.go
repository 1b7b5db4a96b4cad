package builtin

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/meshq/kubectl-meshq/query/syntax/native"
	"github.com/meshq/kubectl-meshq/query/values"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// containerBuiltins returns the builtins on arrays and objects. Each one loads only the
// elements and members that it needs; the others stay lazy (not loaded).
func containerBuiltins() map[string]values.Func {
	return map[string]values.Func{
		"length/0":        looked(func(m *values.Task, v any, _ []any) (any, error) { return length(m, v) }),
		"keys/0":          forced(func(m *values.Task, v any, _ []any) (any, error) { return keys(m, v, true) }),
		"keys_unsorted/0": forced(func(m *values.Task, v any, _ []any) (any, error) { return keys(m, v, false) }),
		"type/0": func(m *values.Task, v any, _ []any) (any, error) {
			t, err := m.TypeOf(v)
			return t, err
		},
		"has/1":       looked(func(m *values.Task, v any, a []any) (any, error) { return has(m, v, a[0]) }),
		"reverse/0":   forced(func(m *values.Task, v any, _ []any) (any, error) { return reverse(m, v) }),
		"flatten/0":   forced(func(m *values.Task, v any, _ []any) (any, error) { return flatten(m, v) }),
		"flatten/1":   forced(func(m *values.Task, v any, a []any) (any, error) { return flattenBy(m, v, a[0]) }),
		"transpose/0": forced(func(m *values.Task, v any, _ []any) (any, error) { return transpose(m, v) }),
		"add/0":       forced(func(m *values.Task, v any, _ []any) (any, error) { return total(m, v) }),
		"bsearch/1":   forced(func(m *values.Task, v any, a []any) (any, error) { return search(m, v, a[0]) }),
	}
}

func length(m *values.Task, v any) (any, error) {
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
	if x, err := m.Gojq("length", v); err == nil {
		return x, nil
	}
	return nil, values.Cannot(v, "has no length")
}

// keys returns the keys of an object, or the indexes of an array. If sorted is false, the
// keys of an object are in the object's order.
func keys(m *values.Task, v any, sorted bool) (any, error) {
	switch v := v.(type) {
	case *object.Object:
		if err := m.Alloc(values.StringSize * v.Len()); err != nil {
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
		if err := m.Alloc(values.StringSize * len(v)); err != nil {
			return nil, err
		}
		out := make([]any, len(v))
		for i := range out {
			out[i] = i
		}
		return out, nil
	}
	return nil, values.Cannot(v, "has no keys")
}

func has(m *values.Task, v, k any) (any, error) {
	k, err := m.Force(k)
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
	return nil, &values.LazyError{Text: func() string {
		return "Cannot check whether " + values.KnownType(v) + " has a " + values.KnownType(k) + " key"
	}}
}

func reverse(m *values.Task, v any) (any, error) {
	x, ok := v.([]any)
	if !ok { // jq treats a value that isn't an object as an array of length(v) elements
		n, err := length(m, v)
		if err != nil {
			return nil, err
		}
		last, err := values.Add(m, n, -1)
		if c := native.Compare(n, 0); err != nil || c <= 0 {
			return []any{}, err
		}
		return nil, values.CannotIndex(v, last)
	}
	if err := m.Alloc(values.ItemSize * len(x)); err != nil {
		return nil, err
	}
	out := make([]any, len(x))
	copy(out, x)
	slices.Reverse(out)
	return out, nil
}

// members returns the elements of an array, or the values of an object in the object's
// order. ok is false for any other value.
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

func flatten(m *values.Task, v any) (any, error) {
	xs, ok := members(v)
	if !ok {
		return nil, values.CannotIterate(v)
	}
	return flat(m, []any{}, xs, math.Inf(1))
}

func flattenBy(m *values.Task, v, depth any) (any, error) {
	depth, err := m.Force(depth)
	if err != nil {
		return nil, err
	}
	if native.Compare(depth, 0) < 0 {
		return nil, &values.ValueError{V: "flatten depth must not be negative"}
	}
	xs, ok := members(v)
	if !ok {
		return nil, values.CannotIterate(v)
	}
	d, ok := native.ToFloat(depth)
	// as in jq, a depth that isn't a number is an error only if an element is an array
	for i := 0; i < len(xs) && !ok; i++ {
		if x, err := m.Force(xs[i]); err != nil || values.KnownType(x) == "array" {
			return nil, cmp.Or(err, values.CannotBoth(depth, 1, "cannot be subtracted"))
		}
	}
	return flat(m, []any{}, xs, d)
}

func flat(m *values.Task, out, xs []any, depth float64) ([]any, error) {
	was, err := m.Enter(values.CallWeight)
	if err != nil {
		return nil, err
	}
	defer m.Leave(was)
	for _, x := range xs {
		if err := m.Tick(); err != nil {
			return nil, err
		}
		if depth != 0 {
			v, err := m.Force(x)
			if err != nil {
				return nil, err
			}
			if inner, ok := v.([]any); ok {
				if out, err = flat(m, out, inner, depth-1); err != nil {
					return nil, err
				}
				continue
			}
		}
		var err error
		if out, err = m.Push(out, x); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func transpose(m *values.Task, v any) (any, error) {
	xs, ok := members(v)
	if !ok {
		return nil, values.CannotIterate(v)
	}
	rows, width := make([][]any, len(xs)), 0
	for i, x := range xs {
		x, err := m.Force(x)
		if err != nil {
			return nil, err
		}
		if rows[i], ok = x.([]any); !ok {
			n, err := length(m, x)
			if err != nil {
				return nil, err
			}
			if native.Compare(n, 0) > 0 {
				return nil, values.CannotIndex(x, 0)
			}
		}
		width = max(width, len(rows[i]))
	}
	if err := m.Alloc(values.ItemSize * (width + 1) * len(rows)); err != nil {
		return nil, err
	}
	out := make([]any, width)
	for j := range out {
		if err := m.Tick(); err != nil {
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

func total(m *values.Task, v any) (any, error) {
	xs, ok := members(v)
	if !ok {
		return nil, values.CannotIterate(v)
	}
	return values.SumOf(m, xs)
}

// search returns the index of x in the sorted array v. If v doesn't contain x,
// search returns -1-i, where i is the index at which x would be inserted.
func search(m *values.Task, v, x any) (any, error) {
	xs, ok := v.([]any)
	if !ok {
		return nil, values.Cannot(v, "cannot be searched from")
	}
	var failed error
	i, found := slices.BinarySearchFunc(xs, x, func(a, b any) int {
		c, err := values.Compare(m, a, b)
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

// entryBuiltins returns to_entries, which converts an object to an array of entries {key,
// value}, and from_entries, which does the opposite.
func entryBuiltins() map[string]values.Func {
	return map[string]values.Func{
		"to_entries/0":   forced(func(m *values.Task, v any, _ []any) (any, error) { return toEntries(m, v) }),
		"from_entries/0": forced(func(m *values.Task, v any, _ []any) (any, error) { return fromEntries(m, v) }),
	}
}

// smallObject is the approximate size of an object with few members, in bytes.
const smallObject = 352

func toEntries(m *values.Task, v any) (any, error) {
	x, _ := v.(*object.Object)
	xs, isArray := v.([]any)
	if x == nil && !isArray {
		return nil, values.Cannot(v, "has no keys")
	}
	n := x.Len() + len(xs)
	if err := m.Alloc((values.ItemSize + smallObject) * n); err != nil {
		return nil, err
	}
	out := make([]any, 0, n)
	for k, v := range x.All() {
		out = append(out, object.Of("key", k, "value", v))
	}
	for i, w := range xs {
		out = append(out, object.Of("key", i, "value", w))
	}
	return out, nil
}

// entryKeys are the names of the member in which an entry may have its key. Earlier names
// take precedence.
var entryKeys = [...]string{"key", "Key", "name", "Name"}

// fromEntries converts an array of entries to an object. If several entries have the same
// key, the last one is used.
func fromEntries(m *values.Task, v any) (any, error) {
	xs, ok := members(v)
	if !ok {
		return nil, values.CannotIterate(v)
	}
	out := object.New(len(xs))
	for _, x := range xs {
		x, err := m.Force(x)
		if err != nil {
			return nil, err
		}
		k, w, err := entry(m, x)
		if err != nil {
			return nil, err
		}
		name, ok := k.(string)
		if !ok {
			return nil, values.NotAKey(k)
		}
		out.Set(name, w)
	}
	return out, m.Alloc(values.EntrySize * out.Len())
}

// entry returns the key and the value of an entry, such as {key, value}.
func entry(m *values.Task, x any) (k, w any, err error) {
	fields, ok := x.(*object.Object)
	if !ok && x != nil {
		return nil, nil, values.CannotIndex(x, entryKeys[0])
	}
	for _, name := range entryKeys {
		if k, err = m.Force(fields.Get(name)); err != nil {
			return nil, nil, err
		}
		if k != nil && k != false {
			break
		}
	}
	w, ok = fields.Lookup("value")
	if !ok {
		w = fields.Get("Value")
	}
	return k, w, nil
}
