package oracle

import (
	"maps"
	"net/http"
	"slices"
)

// Smaller returns variants of a value from which one part is removed: an element or a field, at any depth. Variants
// with a part of the outermost level removed come first, since they are the smallest. keep names fields that are never
// removed.
func Smaller(v any, keep ...string) []any {
	return append(without(v, keep), inside(v, keep)...)
}

// without removes one element or field of the value itself.
func without(v any, keep []string) (out []any) {
	switch x := v.(type) {
	case []any:
		if len(x) > 2 { // first try each element alone: the mismatch usually needs only one
			for _, e := range x {
				out = append(out, []any{e})
			}
		}
		for i := range x {
			if len(x) > 1 {
				out = append(out, slices.Delete(slices.Clone(x), i, i+1))
			}
		}
	case Message:
		for _, k := range slices.Sorted(maps.Keys(x)) {
			if !slices.Contains(keep, k) {
				m := maps.Clone(x)
				delete(m, k)
				out = append(out, m)
			}
		}
	}
	return out
}

// inside removes a part of one element or field.
func inside(v any, keep []string) (out []any) {
	switch x := v.(type) {
	case []any:
		for i, e := range x {
			for _, s := range Smaller(e, keep...) {
				a := slices.Clone(x)
				a[i] = s
				out = append(out, a)
			}
		}
	case Message:
		for _, k := range slices.Sorted(maps.Keys(x)) {
			for _, s := range Smaller(x[k], keep...) {
				out = append(out, with(x, k, s))
			}
		}
	}
	return out
}

// Smaller returns simpler variants of a request.
func (r Request) Smaller() (out []Request) {
	for i := range r.Headers {
		s := r
		s.Headers = slices.Delete(slices.Clone(r.Headers), i, i+1)
		out = append(out, s)
	}
	if r.Method != http.MethodConnect {
		for _, s := range []Request{{"GET", r.Host, r.Path, r.Headers}, {r.Method, "a", r.Path, r.Headers}, {r.Method, r.Host, "/", r.Headers}} {
			if s.Method != r.Method || s.Host != r.Host || s.Path != r.Path {
				out = append(out, s)
			}
		}
	}
	return out
}
