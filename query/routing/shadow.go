package routing

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/query/document"
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
	r := document.NewReader(ctx)
	m := r.Message(route).Sub("match")
	for i, other := range ahead {
		o := r.Message(other).Sub("match")
		if covers(o, m) && same(r, o, m) {
			return i, r.Err
		}
	}
	return -1, r.Err
}

// same tells whether a match asks for nothing beside its path, or for what the
// other asks for too. A field that is not known here is a condition.
func same(r *document.Reader, o, m document.Message) bool {
	for field, want := range o.Fields.All() {
		if field == "caseSensitive" || field == "@type" || field == "kind" || slices.Contains(pathKinds[:], field) || want == nil {
			continue
		}
		if list, ok := r.Force(want).([]any); ok && len(list) == 0 {
			continue
		}
		if field == "runtimeFraction" { // another draw each time
			return false
		}
		if jsonOf(r, want) != jsonOf(r, m.Fields.Get(field)) {
			return false
		}
	}
	return true
}

// text is a value as JSON: equal values have equal texts.
func jsonOf(r *document.Reader, v any) string {
	b, _ := json.Marshal(r.Deep(v))
	return string(b)
}

// Same tells whether two values of the document are equal, whatever they are.
func Same(ctx context.Context, a, b any) (bool, error) {
	r := document.NewReader(ctx)
	same := jsonOf(r, a) == jsonOf(r, b)
	return same, r.Err
}

// covers tells whether every path that fits m fits o.
func covers(o, m document.Message) bool {
	folds := !o.FlagOr("caseSensitive", true)
	fold := func(s string) string {
		if folds {
			return asciiLower(s)
		}
		return s
	}
	if !folds && !m.FlagOr("caseSensitive", true) {
		return pathKind(o) == "prefix" && (o.Text("prefix") == "" || o.Text("prefix") == "/")
	}
	kind := pathKind(m)
	text := fold(m.Text(kind))
	switch by := pathKind(o); by {
	case "prefix":
		p := fold(o.Text(by))
		if p == "" || p == "/" {
			return kind != "connectMatcher"
		}
		return (kind == "prefix" || kind == "path" || kind == "pathSeparatedPrefix") && strings.HasPrefix(text, p)
	case "path":
		return kind == "path" && text == fold(o.Text(by))
	case "pathSeparatedPrefix":
		p := fold(o.Text(by))
		return (kind == "path" || kind == "pathSeparatedPrefix") && (text == p || strings.HasPrefix(text, p+"/")) ||
			kind == "prefix" && strings.HasPrefix(text, p+"/")
	case "safeRegex":
		re := o.Sub(by).Text("regex")
		return kind == "safeRegex" && m.Sub(kind).Text("regex") == re || (re == ".*" && kind != "connectMatcher")
	case "connectMatcher":
		return kind == "connectMatcher"
	}
	return false
}
