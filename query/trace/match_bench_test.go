package trace_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/query"
	"github.com/meshq/kubectl-meshq/query/eval"
	"github.com/meshq/kubectl-meshq/query/library"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// manyHosts returns a proxy with one route configuration of n virtual hosts. The
// virtual hosts have the domains that Istio generates for a service.
func manyHosts(t testing.TB, n int) *mesh.Object {
	t.Helper()
	var hosts []string
	for i := range n {
		name := fmt.Sprintf("svc-%d", i)
		hosts = append(hosts, fmt.Sprintf(`{"name": "%[1]s.shop.svc.cluster.local:80", "domains": ["%[1]s.shop.svc.cluster.local", "%[1]s.shop", "%[1]s.shop.svc", "10.%d.%d.%d", "*.%[1]s.example.com"],
			"routes": [{"match": {"prefix": "/v2", "headers": [{"name": "user", "stringMatch": {"exact": "jason"}}]}, "route": {"cluster": "v2"}}, {"match": {"prefix": "/"}, "route": {"cluster": "outbound|80||%[1]s.shop.svc.cluster.local"}}]}`,
			name, i>>16, i>>8&255, i&255))
	}
	proxy := mesh.NewObject("Proxy", nil, object.Of("id", "web.shop", "name", "web", "namespace", "shop"))
	fields := decoded(t, `{"name": "80", "state": "ACTIVE", "virtualHosts": [`+strings.Join(hosts, ",")+`]}`).(*object.Object)
	all, _ := proxy.Fields(context.Background())
	all.Set("routes", []any{mesh.NewObject("RouteConfiguration", proxy, fields)})
	return mesh.NewObject("Mesh", nil, object.Of("proxies", []any{proxy}))
}

// BenchmarkMatch measures one request at a loaded route configuration of 10,000
// virtual hosts.
func BenchmarkMatch(b *testing.B) {
	in := manyHosts(b, 10_000)
	for name, request := range map[string]string{"exact": "http://svc-7777.shop/", "wildcard": "http://a.svc-7777.example.com/", "none": "http://elsewhere.org/"} {
		b.Run(name, func(b *testing.B) {
			p, err := query.Compile(`.proxies[0].routes[0] as $r | range($n) | $r | [match("`+request+`") | .cluster] | select(length > 1)`,
				query.Options{Doors: library.Doors{Document: func() any { return in }}, Variables: []string{"$n"}})
			if err != nil {
				b.Fatal(err)
			}
			run := func(n int) {
				if err := p.Run(context.Background(), in, []any{n}, eval.RunOptions{}, func(any) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
			run(1)
			b.ResetTimer()
			run(b.N)
		})
	}
}
