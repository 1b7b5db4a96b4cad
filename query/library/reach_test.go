package library_test

import "testing"

// TestReach holds which routes lead to a service, and which lead nowhere.
func TestReach(t *testing.T) {
	in := shop(t)
	for _, c := range []struct{ src, want string }{
		{`[.routesTo("cart.shop") | .name]`, `["jason","abort","empty","sick","split","cart"]`},
		{`[.routesTo("cart") | .name] | length`, `6`},
		{`[.routesTo("car")]`, `[]`},
		{`[.proxy("web").routesTo("outbound|80|v2|cart.shop.svc.cluster.local").name]`, `["jason"]`},
		{`[.routesTo("raw.shop.svc.cluster.local").name]`, `["10.1.0.9_80"]`},
		{`[.proxies | routesTo("gone") | .name]`, `["gone","split"]`},
		{`[.proxy("web") | unreachable | [.name, .reason, .by, .cluster]]`, `[["gone","NO_CLUSTER",null,"gone"],["empty","SUBSET_EMPTY",null,"outbound|80|ghost|cart.shop.svc.cluster.local"],["sick","ALL_UNHEALTHY",null,"outbound|80|sick|cart.shop.svc.cluster.local"],["split","NO_CLUSTER",null,"gone"]]`},
		{`[unreachable] == [.proxies[] | unreachable]`, `true`},
	} {
		if got := traced(t, in, c.src); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.src, got, c.want)
		}
	}
}
