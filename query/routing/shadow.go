package routing

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/query/document"
)

// Shadow returns the index of the first route in ahead that matches every request
// that the given route matches, or -1 if there is none. It returns only certain
// results: a route with conditions besides its path shadows only routes with the
// same conditions.
func Shadow(ctx context.Context, ahead []any, route any) (int, error) {
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

// same reports whether each condition of the match o, except the path condition,
// is also a condition of the match m. A field that this package doesn't implement
// counts as a condition.
func same(r *document.Reader, o, m document.Message) bool {
	for field, want := range o.Fields.All() {
		if field == "caseSensitive" || field == "@type" || field == "kind" || slices.Contains(pathKinds[:], field) || want == nil {
			continue
		}
		if list, ok := r.Force(want).([]any); ok && len(list) == 0 {
			continue
		}
		if field == "runtimeFraction" { // Envoy draws a new random value for each request
			return false
		}
		if jsonOf(r, want) != jsonOf(r, m.Fields.Get(field)) {
			return false
		}
	}
	return true
}

// jsonOf returns the JSON text of a value. Equal values have the same text.
func jsonOf(r *document.Reader, v any) string {
	b, _ := json.Marshal(r.Deep(v))
	return string(b)
}

// Same reports whether two values of the document are equal.
func Same(ctx context.Context, a, b any) (bool, error) {
	r := document.NewReader(ctx)
	same := jsonOf(r, a) == jsonOf(r, b)
	return same, r.Err
}

// covers reports whether the match o matches every path that m matches.
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
