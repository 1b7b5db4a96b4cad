package diff

import (
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// equal reports whether two values, whose parts are all loaded, are equal. The location p
// determines which differences have a meaning.
func equal(a, b any, p location) bool {
	switch x := a.(type) {
	case *object.Object:
		y, ok := b.(*object.Object)
		return ok && equalObjects(x, y, p)
	case []any:
		y, ok := b.([]any)
		return ok && equalLists(x, y, p)
	}
	switch b.(type) {
	case *object.Object, []any:
		return false
	}
	return equalScalars(a, b, p)
}

func equalObjects(a, b *object.Object, p location) bool {
	if mesh.Identical(a, b) {
		return true
	}
	p, kind := p.inside(a, b), kindOf(a, b)
	for key, v := range a.All() {
		if kind.excludes(key) {
			continue
		}
		w, there := b.Lookup(p.spelled(key, b))
		if !equalMembers(kind.effective(key, v), kind.effective(key, w), true, there, p.member(key)) {
			return false
		}
	}
	for key, w := range b.All() {
		if !kind.excludes(key) && !has(a, p.spelled(key, a)) && !equalMembers(nil, kind.effective(key, w), false, true, p.member(key)) {
			return false
		}
	}
	return true
}

// equalMembers compares the values of one field in two objects. The field may be absent
// in one of them.
func equalMembers(v, w any, inA, inB bool, p location) bool {
	switch {
	case p.rules == plain && inA != inB:
		return false
	case p.rules == plain || v != nil && w != nil:
		return equal(v, w, p)
	case v == nil:
		return p.isUnset(w)
	}
	return p.isUnset(v)
}

func equalLists(a, b []any, p location) bool {
	if len(a) != len(b) {
		return false
	}
	if mesh.Identical(a, b) {
		return true
	}
	same := 0
	for same < len(a) && equal(a[same], b[same], p) {
		same++
	}
	rule := p.listRule()
	if same == len(a) || !rule.free {
		return same == len(a)
	}
	for i, j := range partners(a, b, p, rule) {
		if j < 0 || !equal(a[i], b[j], p) {
			return false
		}
	}
	return true
}

func has(m *object.Object, key string) bool {
	_, ok := m.Lookup(key)
	return ok
}

// spelled returns the name under which an object contains a field. The name differs from
// key only if the object's type is unknown and the object uses the other spelling of the
// field (camelCase or snake_case).
func (p location) spelled(key string, in *object.Object) string {
	if p.rules != foreign || has(in, key) {
		return key
	}
	if c := camel(key); c != key {
		return c
	}
	return snake(key)
}

// camel converts a protobuf field name to its lowerCamelCase name in JSON.
func camel(s string) string {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '_' {
			continue
		}
		if i > 0 && s[i-1] == '_' && 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		out = append(out, c)
	}
	return string(out)
}

// snake converts a lowerCamelCase name in JSON to the protobuf field name.
func snake(s string) string {
	out := make([]byte, 0, len(s)+4)
	for i := 0; i < len(s); i++ {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			out = append(out, '_')
			c += 'a' - 'A'
		}
		out = append(out, c)
	}
	return string(out)
}
