package routing

import (
	"context"
	"strings"

	"github.com/meshq/kubectl-meshq/query/document"
)

// Scope returns the scoped route configuration for a request. This is the one
// whose key equals the key that is built from the request's headers. It returns
// nil if there is none; Envoy then answers 404. unsupported is set if the scopes
// are not in the connection manager's configuration, because Envoy receives them
// separately.
func Scope(ctx context.Context, x *Cache, e Envoy, scopedRoutes any, r Request) (scope any, unsupported string, err error) {
	c := newChoice(ctx, x, e)
	s := c.Message(scopedRoutes)
	list := s.Sub("scopedRouteConfigurationsList")
	if list.Fields == nil {
		return nil, "scoped routes " + s.Text("name"), c.Err
	}
	h := r.headers()
	var key []string
	for _, f := range s.Sub("scopeKeyBuilder").List("fragments") {
		v, ok := fragment(f.Sub("headerValueExtractor"), h)
		if !ok {
			return nil, "", c.Err
		}
		key = append(key, v)
	}
	all, _ := list.Value("scopedRouteConfigurations").([]any)
	for _, one := range all {
		fragments := c.Message(one).Sub("key").List("fragments")
		same := len(fragments) == len(key)
		for i, f := range fragments {
			same = same && f.Text("stringKey") == key[i]
		}
		if same {
			return one, "", c.Err
		}
	}
	return nil, "", c.Err
}

// fragment computes one part of a scope's key from a header. It returns false if
// the header doesn't contain that part.
func fragment(m document.Message, h headers) (string, bool) {
	values := h[asciiLower(m.Text("name"))]
	if len(values) == 0 {
		return "", false
	}
	parts := []string{values[0]}
	if sep := m.Text("elementSeparator"); sep != "" {
		parts = strings.Split(values[0], sep)
	}
	if e := m.Sub("element"); m.Has("element") {
		for _, part := range parts {
			if k, v, ok := strings.Cut(part, e.Text("separator")); ok && k == e.Text("key") || k == e.Text("key") && e.Text("separator") == "" {
				return v, true
			}
		}
		return "", false
	}
	i := int(m.Number("index"))
	if i < 0 || i >= len(parts) {
		return "", false
	}
	return parts[i], true
}
