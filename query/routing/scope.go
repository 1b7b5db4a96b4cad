package routing

import (
	"context"
	"strings"
)

// Scope gives the scoped route configuration of a request: the one whose key
// is that which the request's headers make. Nil: none, and Envoy answers 404.
// Scopes that Envoy has from elsewhere can't be seen here, and are told.
func Scope(ctx context.Context, x *Cache, e Envoy, scopedRoutes any, r Request) (scope any, unsupported string, err error) {
	c := newChoice(ctx, x, e)
	s := c.message(scopedRoutes)
	list := s.sub("scopedRouteConfigurationsList")
	if list.fields == nil {
		return nil, "scoped routes " + s.text("name"), c.err
	}
	h := r.headers()
	var key []string
	for _, f := range s.sub("scopeKeyBuilder").list("fragments") {
		v, ok := fragment(f.sub("headerValueExtractor"), h)
		if !ok {
			return nil, "", c.err
		}
		key = append(key, v)
	}
	all, _ := list.value("scopedRouteConfigurations").([]any)
	for _, one := range all {
		fragments := c.message(one).sub("key").list("fragments")
		same := len(fragments) == len(key)
		for i, f := range fragments {
			same = same && f.text("stringKey") == key[i]
		}
		if same {
			return one, "", c.err
		}
	}
	return nil, "", c.err
}

// fragment is what a header says for a part of the key.
func fragment(m message, h headers) (string, bool) {
	values := h[asciiLower(m.text("name"))]
	if len(values) == 0 {
		return "", false
	}
	parts := []string{values[0]}
	if sep := m.text("elementSeparator"); sep != "" {
		parts = strings.Split(values[0], sep)
	}
	if e := m.sub("element"); m.has("element") {
		for _, part := range parts {
			if k, v, ok := strings.Cut(part, e.text("separator")); ok && k == e.text("key") || k == e.text("key") && e.text("separator") == "" {
				return v, true
			}
		}
		return "", false
	}
	i := int(m.number("index"))
	if i < 0 || i >= len(parts) {
		return "", false
	}
	return parts[i], true
}
