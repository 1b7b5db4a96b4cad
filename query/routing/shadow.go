package routing

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// Shadow gives the first of the routes ahead of one that takes every request
// that it would; nil where there is none. It tells only what is certain: a
// route with conditions beside its path stands in the way of those alone that
// have the very same.
func Shadow(ctx context.Context, ahead []any, route any) (any, error) {
	i, err := ShadowIndex(ctx, ahead, route)
	if i < 0 {
		return nil, err
	}
	return ahead[i], err
}

// ShadowIndex is Shadow, and gives where the route is among those ahead; -1
// where there is none.
func ShadowIndex(ctx context.Context, ahead []any, route any) (int, error) {
	r := &reader{ctx: ctx}
	m := r.message(route).sub("match")
	for i, other := range ahead {
		o := r.message(other).sub("match")
		if covers(o, m) && r.same(o, m) {
			return i, r.err
		}
	}
	return -1, r.err
}

// same tells whether a match asks for nothing beside its path, or for what the
// other asks for too. A field that is not known here is a condition.
func (r *reader) same(o, m message) bool {
	for field, want := range o.fields.All() {
		if field == "caseSensitive" || field == "@type" || field == "kind" || slices.Contains(pathKinds[:], field) || want == nil {
			continue
		}
		if list, ok := r.force(want).([]any); ok && len(list) == 0 {
			continue
		}
		if field == "runtimeFraction" { // another draw each time
			return false
		}
		if r.text(want) != r.text(m.fields.Get(field)) {
			return false
		}
	}
	return true
}

// text is a value as JSON: equal values have equal texts.
func (r *reader) text(v any) string {
	v, err := mesh.Deep(r.ctx, v)
	if err != nil && r.err == nil {
		r.err = err
	}
	b, _ := json.Marshal(v)
	return string(b)
}

// Same tells whether two values of the document are equal, whatever they are.
func Same(ctx context.Context, a, b any) (bool, error) {
	r := &reader{ctx: ctx}
	same := r.text(a) == r.text(b)
	return same, r.err
}

// covers tells whether every path that fits m fits o.
func covers(o, m message) bool {
	folds := !o.flagOr("caseSensitive", true)
	fold := func(s string) string {
		if folds {
			return asciiLower(s)
		}
		return s
	}
	if !folds && !m.flagOr("caseSensitive", true) {
		return pathKind(o) == "prefix" && (o.text("prefix") == "" || o.text("prefix") == "/")
	}
	kind := pathKind(m)
	text := fold(m.text(kind))
	switch by := pathKind(o); by {
	case "prefix":
		p := fold(o.text(by))
		if p == "" || p == "/" {
			return kind != "connectMatcher"
		}
		return (kind == "prefix" || kind == "path" || kind == "pathSeparatedPrefix") && strings.HasPrefix(text, p)
	case "path":
		return kind == "path" && text == fold(o.text(by))
	case "pathSeparatedPrefix":
		p := fold(o.text(by))
		return (kind == "path" || kind == "pathSeparatedPrefix") && (text == p || strings.HasPrefix(text, p+"/")) ||
			kind == "prefix" && strings.HasPrefix(text, p+"/")
	case "safeRegex":
		re := o.sub(by).text("regex")
		return kind == "safeRegex" && m.sub(kind).text("regex") == re || (re == ".*" && kind != "connectMatcher")
	case "connectMatcher":
		return kind == "connectMatcher"
	}
	return false
}
