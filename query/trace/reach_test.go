package trace_test

import (
	"testing"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// TestReach checks which routes lead to a service, and which lead nowhere.
func TestReach(t *testing.T) {
	in := shop(t)
	for _, c := range []struct{ src, want string }{
		{`[.routesTo("cart.shop") | .name]`, `["jason","abort","empty","sick","split","cart"]`},
		{`[.routesTo("cart") | .name] | length`, `6`},
		{`[.routesTo("car")]`, `[]`},
		{`[.proxy("web").routesTo("outbound|80|v2|cart.shop.svc.cluster.local").name]`, `["jason"]`},
		{`[.routesTo("raw.shop.svc.cluster.local").name]`, `["10.1.0.9_80"]`},
		{`[.routesTo("cart") | .proxy] | unique`, `["web.shop"]`},
		{`[.proxy("web").routesTo("shadow").name]`, `["split"]`}, // this route sends only copies (mirrored requests)
		{`[.proxies | routesTo("gone") | .name]`, `["gone","split"]`},
		{`[.proxy("web") | unreachable | [.name, .reason, .by, .cluster]]`, `[["gone","NO_CLUSTER",null,"gone"],["empty","SUBSET_EMPTY",null,"outbound|80|ghost|cart.shop.svc.cluster.local"],["sick","ALL_UNHEALTHY",null,"outbound|80|sick|cart.shop.svc.cluster.local"],["split","NO_CLUSTER",null,"gone"]]`},
		{`[.proxy("web") | unreachable | .proxy] | unique`, `["web.shop"]`},
		{`[unreachable] == [.proxies[] | unreachable]`, `true`},
	} {
		if got := traced(t, in, c.src); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.src, got, c.want)
		}
	}
}

// TestUnreachable checks the reasons why no request takes a route: an earlier route
// takes all its requests, or its cluster doesn't exist or has no endpoints.
func TestUnreachable(t *testing.T) {
	proxy := mesh.NewObject("Proxy", nil, object.Of(
		"id", "web.shop",
		"routes", decoded(t, `[{"name": "80", "virtualHosts": [
			{"name": "first", "domains": ["a", "B"], "routes": [
				{"name": "v1", "match": {"prefix": "/v1"}, "route": {"cluster": "c", "metadataMatch": {"filterMetadata": {"envoy.lb": {"version": "v1"}}}}},
				{"name": "v9", "match": {"prefix": "/v9"}, "route": {"cluster": "c", "metadataMatch": {"filterMetadata": {"envoy.lb": {"version": "v9"}}}}},
				{"name": "split", "match": {"prefix": "/split"}, "route": {"weightedClusters": {"clusters": [
					{"name": "c", "weight": 1, "metadataMatch": {"filterMetadata": {"envoy.lb": {"version": "v8"}}}}, {"name": "gone", "weight": 0}]}}},
				{"name": "all", "match": {"prefix": "/"}, "redirect": {}},
				{"name": "late", "match": {"path": "/x"}, "redirect": {}}]},
			{"name": "second", "domains": ["b"], "routes": []}]}]`),
		"clusters", decoded(t, `[{"name": "c", "type": "EDS", "lbSubsetConfig": {"subsetSelectors": [{"keys": ["version"]}]}}]`),
		"endpoints", decoded(t, `[{"cluster": "c", "address": "10.0.0.1:80", "health": "HEALTHY", "metadata": {"filterMetadata": {"envoy.lb": {"version": "v1"}}}}]`),
	))
	fields, _ := proxy.Fields(t.Context())
	derive(fields.Get("routes").([]any)[0].(*object.Object).Get("virtualHosts"))
	in := mesh.NewObject("Mesh", nil, object.Of("proxies", []any{proxy}))
	want := `[["v9","SUBSET_EMPTY",null,"c"],["split","SUBSET_EMPTY",null,"c"],["late","SHADOWED","all",null],["b","DUPLICATE_DOMAIN","first",null]]`
	if got := traced(t, in, `[unreachable | [.name, .reason, .by, .cluster]]`); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
