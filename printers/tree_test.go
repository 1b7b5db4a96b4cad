package printers

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// splitTrace returns a Trace of a request that is split between clusters.
func splitTrace(more *object.Object) *mesh.Object {
	endpoint := func(cluster, address string, share float64, health string) any {
		return object.Of("cluster", cluster, "address", address, "share", share, "health", health, "transport", "tlsMode-istio", "workload", "cart-1.shop", "outlier", nil)
	}
	step := func(what, name, why, istio string, near ...any) any {
		return object.Of("step", what, "name", name, "reason", why, "istio", istio, "almost", near)
	}
	fields := object.Of(
		"proxy", "web.shop",
		"request", object.Of("method", "GET", "scheme", "http", "host", "cart", "path", "/x", "principal", nil),
		"steps", []any{
			step("listener", "0.0.0.0_80", "destination port 80", ""),
			step("route", "cart", "path /*", "virtual-service/cart.shop", object.Of("name", "canary", "why", "header x is missing; it must be \"1\"")),
			step("cluster", "a", "75% of the requests", "destination-rule/cart.shop"), step("cluster", "b", "", ""),
		},
		"cluster", nil,
		"clusters", []any{object.Of("name", "a", "share", 0.75), object.Of("name", "b", "share", 0.25)},
		"endpoints", []any{endpoint("a", "10.0.0.1:80", 0.75, "HEALTHY"), endpoint("a", "10.0.0.2:80", 0, "UNHEALTHY"), object.Of("cluster", "b", "address", nil, "share", 0.25, "health", "UNKNOWN")},
		"policies", []any{object.Of("verdict", "allowed", "istio", "authorization-policy/web.shop", "shadow", false),
			object.Of("verdict", "denied", "policy", "p", "shadow", true), object.Of("verdict", "unknown", "policy", "q", "unknown", "claims of a JWT")},
		"faults", []any{object.Of("fault", "delay", "delay", "5s", "share", 0.5)}, "mirrors", []any{object.Of("cluster", "m", "share", 1)},
		"unsupported", []any{"lua"}, "unknowns", []any{object.Of("what", "lua", "why", mesh.NotConfigured)}, "reached", true, "reason", nil, "status", nil, "redirectTo", nil, "url", "http://cart/x",
	)
	for k, v := range more.All() {
		fields.Set(k, v)
	}
	return mesh.NewObject("Trace", nil, fields)
}

const splitTraceText = `GET http://cart/x from web.shop
├─ listener  0.0.0.0_80  (destination port 80)
├─ route     cart  (path /*)  virtual-service/cart.shop
│  └─ not canary  header x is missing; it must be "1"
├─ cluster   a  (75% of the requests)  destination-rule/cart.shop
│  ├─ 10.0.0.1:80  75%  HEALTHY  tlsMode-istio  cart-1.shop
│  └─ 10.0.0.2:80  0%  UNHEALTHY  tlsMode-istio  cart-1.shop
├─ cluster   b
│  └─ <unknown>  25%  UNKNOWN
├─ policy    allowed  by authorization-policy/web.shop
├─ policy    denied  by p  (dry run)
├─ policy    unknown  by q  (claims of a JWT is not known)
├─ fault     delay of 5s  for 50%
├─ mirror    m  100%
├─ unknown   lua
└─ ends      at an endpoint
`

func TestTree(t *testing.T) {
	draw := func(o Options, values ...any) string {
		var out strings.Builder
		o.Out = &out
		p, err := NewTree(o)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range values {
			r, err := p.Render(t.Context(), v)
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Print(r); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	if diff := cmp.Diff(splitTraceText, draw(Options{}, splitTrace(nil))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	nothing := object.Of("steps", []any{}, "policies", nil, "faults", nil, "mirrors", nil, "unsupported", nil, "unknowns", nil)
	ended := object.Of("reached", false, "reason", "REDIRECT", "status", 301, "redirectTo", "http://cart/y")
	for k, v := range nothing.All() {
		ended.Set(k, v)
	}
	if got, want := draw(Options{Color: true}, splitTrace(ended)), "GET http://cart/x from web.shop\n└─ \x1b[31mends  REDIRECT  with status 301  to http://cart/y\x1b[0m\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	nothing.Set("through", []any{splitTrace(nothing)})
	if got, want := draw(Options{}, splitTrace(nothing), 1), "GET http://cart/x from web.shop\n└─ ends  at an endpoint\n  GET http://cart/x from web.shop\n  └─ ends  at an endpoint\n1\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTableOfTraces(t *testing.T) {
	want := `PROXY      ROUTE                              GOES TO            ENDPOINTS     REASON    UNKNOWN
web.shop   cart (virtual-service/cart.shop)   a (75%), b (25%)   10.0.0.1:80   <none>    lua
web.shop   cart (virtual-service/cart.shop)   status 404         10.0.0.1:80   NO_ROUTE  <none>
`
	got := render(t, Options{}, splitTrace(nil), splitTrace(object.Of("reached", false, "reason", "NO_ROUTE", "status", 404, "unsupported", nil, "unknowns", nil)))
	if strings.Join(strings.Fields(got), " ") != strings.Join(strings.Fields(want), " ") {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
