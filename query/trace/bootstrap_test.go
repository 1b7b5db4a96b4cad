package trace_test

import (
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// TestBootstrap checks that a trace reads what it needs from Envoy's bootstrap: the
// runtime, and the cluster that the proxy belongs to.
func TestBootstrap(t *testing.T) {
	proxy := mesh.NewObject("Proxy", nil, object.Of("id", "web.shop", "name", "web", "namespace", "shop", "type", "router", "ip", "10.0.0.1"))
	fields, _ := proxy.Fields(t.Context())
	for section, text := range map[string]string{
		"bootstrap": `{"node": {"locality": {"zone": "a"}}, "clusterManager": {"localClusterName": "own"}, "layeredRuntime": {"layers": [
			{"name": "global", "staticLayer": {"flags": {"some": {"numerator": 0}}, "w.v1": 0, "w.v2": 1}}, {"name": "late", "staticLayer": {"w": {"v1": 3}}}, {"name": "admin", "adminLayer": {}}]}}`,
		"server": `{"version": "0/1.40.0/Clean"}`,
		"listeners": `[` + at("0.0.0.0_80", "0.0.0.0", "80", `"filterChains": [`+httpChain("http", ``, `"rds": {"routeConfigName": "80"}`, ``)+`}]`) + `,
			` + at("[::]_81", "::", "81", `"filterChains": [`+tcpChain("v6", ``)+`]`) + `, ` + at("10.0.0.1_80", "10.0.0.1", "80", `"filterChains": [`+tcpChain("own", ``)+`]`) + `,
			{"name": "h3_82", "state": "ACTIVE", "address": {"socketAddress": {"address": "0.0.0.0", "portValue": 82, "protocol": "UDP"}}, "filterChains": [` + tcpChain("h3", ``) + `]}]`,
		"routes": `[{"name": "80", "virtualHosts": [{"name": "v", "domains": ["*"], "routes": [
			{"match": {"prefix": "/", "runtimeFraction": {"defaultValue": {"numerator": 100}, "runtimeKey": "flags.some"}}, "route": {"cluster": "never"}},
			{"match": {"prefix": "/split"}, "route": {"weightedClusters": {"runtimeKeyPrefix": "w", "clusters": [{"name": "v1", "weight": 50}, {"name": "v2", "weight": 50}]}}},
			{"match": {"prefix": "/header"}, "route": {"cluster": "dst"}},
			{"match": {"prefix": "/"}, "route": {"cluster": "v1"}}]}]}]`,
		"clusters": `[{"name": "v1", "type": "EDS", "commonLbConfig": {"zoneAwareLbConfig": {"minClusterSize": 2}}}, {"name": "v2", "type": "EDS"}, {"name": "own", "type": "EDS"},
			{"name": "dst", "type": "ORIGINAL_DST", "originalDstLbConfig": {"useHttpHeader": true, "upstreamPortOverride": 99}}]`,
		"endpoints": `[{"cluster": "v1", "address": "10.0.0.2:80", "health": "HEALTHY", "locality": {"zone": "a"}}, {"cluster": "v1", "address": "10.0.0.3:80", "health": "HEALTHY", "locality": {"zone": "b"}},
			{"cluster": "own", "address": "10.0.0.1:80", "health": "HEALTHY", "locality": {"zone": "a"}}, {"cluster": "own", "address": "10.0.0.9:80", "health": "HEALTHY", "locality": {"zone": "b"}}]`,
	} {
		v := decoded(t, text)
		if all, ok := v.([]any); ok {
			for i, e := range all {
				all[i] = mesh.NewObject("Part", proxy, e.(*object.Object))
			}
		}
		fields.Set(section, v)
	}
	in := mesh.NewObject("Mesh", nil, object.Of("proxies", []any{proxy}))
	for _, c := range []struct{ src, want string }{
		{`{url: "http://h/", destination: "10.0.0.5"} | [.cluster, .unsupported, [.endpoints[].share]]`, `["v1",[],[1,0]]`}, // the request stays in the proxy's zone
		{`{url: "http://h/split", destination: "10.0.0.5"} | [.clusters[] | .name, .share]`, `["v1",0.75,"v2",0.25]`},
		{`{url: "http://h/header", destination: "10.0.0.5", headers: {"x-envoy-original-dst-host": "10.9.9.9:1"}} | .endpoints[0].address`, `"10.9.9.9:99"`},
		{`{url: "http://h/header", destination: "10.0.0.5"} | .endpoints[0].address`, `"10.0.0.5:99"`},
		{`"tcp://h:80" | [.steps[0].name, .cluster]`, `["10.0.0.1_80","own"]`}, // the listener at the exact address takes precedence over the one at the wildcard address
		{`{url: "tcp://h:81", destination: "10.0.0.5"} | .reason`, `"NO_LISTENER"`},
		{`{url: "tcp://h:81", destination: "fd00::5"} | .steps[0].name`, `"[::]_81"`},
		{`"tcp://h:82" | .reason`, `"NO_LISTENER"`}, // a UDP listener accepts no TCP connection
	} {
		if got := tracedBy(t, in, `.proxy("web")`, c.src); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.src, got, c.want)
		}
	}
}

// tracedBy returns the result of the query "request | rest", where the request is
// traced from a proxy.
func tracedBy(t *testing.T, in *mesh.Object, proxy, src string) string {
	t.Helper()
	request, rest, more := strings.Cut(src, " | ")
	src = proxy + `.trace(` + request + `)`
	if more {
		src += " | " + rest
	}
	return traced(t, in, src)
}
