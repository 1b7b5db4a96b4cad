package routing

import (
	"context"
	"fmt"
	"testing"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// TestRBAC checks policies in the form that Istio generates.
func TestRBAC(t *testing.T) {
	rule := func(permission, principal string) string {
		return `{"permissions": [{"andRules": {"rules": [` + permission + `]}}], "principals": [{"andIds": {"ids": [` + principal + `]}}]}`
	}
	get := rule(`{"orRules": {"rules": [{"header": {"name": ":method", "stringMatch": {"exact": "GET"}}}]}}, {"orRules": {"rules": [{"urlPath": {"path": {"prefix": "/api"}}}]}}`,
		`{"orIds": {"ids": [{"authenticated": {"principalName": {"exact": "spiffe://cluster.local/ns/default/sa/web"}}}]}}`)
	anyone := `{"any": true}`
	from := rule(anyone, `{"notId": {"orIds": {"ids": [{"directRemoteIp": {"addressPrefix": "10.0.0.0", "prefixLen": 8}}]}}}`)
	jwt := rule(anyone, `{"metadata": {"filter": "istio_authn", "path": [{"key": "request.auth.principal"}], "value": {"stringMatch": {"safeRegex": {"regex": ".+"}}}}}`)
	web := "spiffe://cluster.local/ns/default/sa/web"
	for _, c := range []struct {
		name, config string
		r            Request
		want         string
	}{
		{"allowed", `{"rules": {"policies": {"get": ` + get + `}}}`, Request{TLS: true, Principal: web, Path: "/api/x?q"}, "allowed by get"},
		{"another method", `{"rules": {"policies": {"get": ` + get + `}}}`, Request{Method: "POST", TLS: true, Principal: web, Path: "/api/x"}, "denied by none"},
		{"another one", `{"rules": {"policies": {"get": ` + get + `}}}`, Request{TLS: true, Principal: web + "2", Path: "/api/x"}, "denied by none"},
		{"no certificate", `{"rules": {"policies": {"get": ` + get + `}}}`, Request{Path: "/api/x"}, "denied by none"},
		{"one that isn't known", `{"rules": {"policies": {"get": ` + get + `}}}`, Request{TLS: true, Path: "/api/x"}, "get? the client's identity"},
		{"one that isn't known, for another path", `{"rules": {"policies": {"get": ` + get + `}}}`, Request{TLS: true, Path: "/x"}, "denied by none"},
		{"nothing is allowed", `{"rules": {}}`, Request{}, "denied by none"},
		{"no rules", `{}`, Request{}, ""},
		{"denied", `{"rules": {"action": "DENY", "policies": {"a": ` + get + `, "b": ` + from + `}}}`, Request{Source: "11.0.0.1"}, "denied by b"},
		{"not denied", `{"rules": {"action": "DENY", "policies": {"a": ` + get + `, "b": ` + from + `}}}`, Request{Source: "10.0.0.1"}, "allowed by none"},
		{"no address", `{"rules": {"action": "DENY", "policies": {"b": ` + from + `}}}`, Request{}, "b? the source's address"},
		{"a token", `{"rules": {"policies": {"jwt": ` + jwt + `}}}`, Request{}, "jwt? claims of a JWT"},
		{"a token, or anyone", `{"rules": {"policies": {"jwt": ` + jwt + `, "x": ` + rule(anyone, anyone) + `}}}`, Request{}, "allowed by x"},
		{"metadata", `{"rules": {"policies": {"jwt": ` + jwt + `}}}`, Request{Metadata: object.Of("istio_authn", object.Of("request.auth.principal", "me"))}, "allowed by jwt"},
		{"dry run", `{"shadowRules": {"action": "DENY", "policies": {"b": ` + rule(anyone, anyone) + `}}}`, Request{}, "shadow denied by b"},
		{"CEL", `{"rules": {"policies": {"cel": {"permissions": [{"any": true}], "principals": [{"any": true}], "condition": {}}}}}`, Request{}, "cel? a CEL condition"},
		{"ports", `{"rules": {"policies": {"p": ` + rule(`{"destinationPort": 80}`, anyone) + `}}}`, Request{DestinationPort: 81}, "denied by none"},
	} {
		if c.r.Method == "" {
			c.r.Method = "GET"
		}
		x := newChoice(context.Background(), &Cache{}, Envoy{})
		all := x.rbac(x.Message(value(t, c.config)), &routed{c.r, c.r.headers()})
		if x.Err != nil {
			t.Fatal(x.Err)
		}
		got := ""
		for _, v := range all {
			switch {
			case v.Unknown != "":
				got = v.Policy + "? " + v.Unknown
			default:
				got = map[bool]string{true: "denied by ", false: "allowed by "}[v.Denied] + orNone(v.Policy)
			}
			if v.Shadow {
				got = "shadow " + got
			}
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// TestFiltersAreOverriddenByRoute checks that a route may override the
// configuration of a filter, and the effect of both configurations.
func TestFiltersAreOverriddenByRoute(t *testing.T) {
	http := "type.googleapis.com/envoy.extensions.filters.http."
	filters := value(t, `[{"name": "f", "typedConfig": {"@type": "`+http+`fault.v3.HTTPFault"}}, {"name": "rbac", "typedConfig": {"@type": "`+http+`rbac.v3.RBAC", "rules": {}}},
		{"name": "script", "typedConfig": {"@type": "`+http+`lua.v3.Lua"}}, {"name": "istio.stats", "typedConfig": {"@type": "type.googleapis.com/stats.PluginConfig"}},
		{"name": "off", "disabled": true, "typedConfig": {"@type": "`+http+`wasm.v3.Wasm"}}, {"name": "r", "typedConfig": {"@type": "`+http+`router.v3.Router"}}]`).([]any)
	for _, c := range []struct{ perRoute, want string }{
		{`{}`, "denied; [] [script]"},
		{`{"rbac": {"@type": "` + http + `rbac.v3.RBACPerRoute"}}`, "[] [script]"},
		{`{"rbac": {"@type": "` + http + `rbac.v3.RBACPerRoute", "rbac": {"rules": {"action": "DENY"}}}, "script": {"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "disabled": true}}`, "[] []"},
		{`{"rbac": {"@type": "` + http + `rbac.v3.RBACPerRoute"}, "off": {"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "config": {}}}`, "[] [script off]"},
		{`{"rbac": {"@type": "` + http + `rbac.v3.RBACPerRoute"}, "f": {"@type": "` + http + `fault.v3.HTTPFault", "abort": {"httpStatus": 503, "percentage": {"numerator": 100}}, "delay": {"fixedDelay": "5s", "percentage": {"numerator": 5000, "denominator": "TEN_THOUSAND"}}}}`, "aborted; [{delay 0 5s 0.5} {abort 503  1}] [script]"},
		{`{"rbac": {"@type": "` + http + `rbac.v3.RBACPerRoute"}, "f": {"@type": "` + http + `fault.v3.HTTPFault", "headers": [{"name": "x", "presentMatch": true}], "abort": {"httpStatus": 503, "percentage": {"numerator": 100}}}}`, "[] [script]"},
	} {
		route := object.Of("typedPerFilterConfig", value(t, c.perRoute))
		x := newChoice(context.Background(), &Cache{}, Envoy{})
		r := Request{Method: "GET", Path: "/"}
		p := x.filters(filters, []any{route, nil}, &routed{r, r.headers()})
		if x.Err != nil {
			t.Fatal(x.Err)
		}
		got := fmt.Sprint(p.Faults, " ", p.Unsupported)
		if p.Denied() != nil {
			got = "denied; " + got
		}
		if p.Aborted() != nil {
			got = "aborted; " + got
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.perRoute, got, c.want)
		}
	}
}
