package trace_test

import (
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// lone returns a mesh with one proxy, whose sections are given as JSON.
func lone(t *testing.T, kind string, sections map[string]string) *mesh.Object {
	t.Helper()
	fields := object.Of("id", "web.shop", "name", "web", "namespace", "shop", "type", kind, "ip", "10.0.0.1", "ips", []any{"10.0.0.1"})
	for _, section := range []string{"listeners", "clusters", "routes", "endpoints", "secrets"} {
		fields.Set(section, []any{})
	}
	for section, text := range sections {
		fields.Set(section, decoded(t, text))
	}
	return mesh.NewObject("Mesh", nil, object.Of("proxies", []any{mesh.NewObject("Proxy", nil, fields)}, "services", []any{}))
}

// TestTraceEndsWhereConfigurationLeadsBack checks that a cycle in the configuration
// ends a walk: an internal listener whose cluster leads back to the listener, or a
// cluster that contains itself.
func TestTraceEndsWhereConfigurationLeadsBack(t *testing.T) {
	in := lone(t, "router", map[string]string{
		"listeners": `[` + at("a", "0.0.0.0", "80", `"filterChains": [`+tcpChain("loop", ``)+`]`) + `,` +
			at("b", "0.0.0.0", "81", `"filterChains": [`+tcpChain("whole", ``)+`]`) + `,
			{"name": "inner", "state": "ACTIVE", "internalListener": {}, "filterChains": [` + tcpChain("loop", ``) + `]}]`,
		"clusters": `[{"name": "loop", "type": "STATIC"},
			{"name": "whole", "clusterType": {"typedConfig": {"clusters": ["whole", "part", "whole"]}}}, {"name": "part", "clusterType": {"typedConfig": {"clusters": ["whole", "real"]}}}, {"name": "real", "type": "EDS"}]`,
		"endpoints": `[{"cluster": "loop", "address": "envoy://inner/x", "health": "HEALTHY"}, {"cluster": "real", "address": "10.0.0.9:80", "ip": "10.0.0.9", "port": 80, "health": "HEALTHY"}]`,
	})
	for _, c := range []struct{ src, want string }{
		{`.proxy("web").trace("tcp://10.0.0.1:80") | [.reached, .reason]`, `[false,"UNSUPPORTED"]`},
		{`.proxy("web").trace("tcp://10.0.0.1:81") | [.reached, [.endpoints[].address]]`, `[true,["10.0.0.9:80"]]`},
	} {
		if got := traced(t, in, c.src); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.src, got, c.want)
		}
	}
	for _, match := range []string{`{"a": {"b": 1}}`, `{"a": ["b"]}`, `null`} { // the comparison accepts metadata of any form
		in := lone(t, "router", map[string]string{
			"listeners": `[` + at("a", "0.0.0.0", "80", `"filterChains": [`+tcpChain("c", ``)+`]`) + `]`,
			"clusters":  `[{"name": "c", "type": "EDS", "transportSocketMatches": [{"name": "m", "match": ` + match + `}]}]`,
			"endpoints": `[{"cluster": "c", "address": "10.0.0.9:80", "metadata": {"filterMetadata": {"envoy.transport_socket_match": ` + match + `}}}]`,
		})
		if got := traced(t, in, `.proxy("web").trace("tcp://10.0.0.1:80") | .endpoints[0].transport`); !strings.Contains(got, "m") {
			t.Errorf("%s: %s", match, got)
		}
	}
}
