package library_test

import (
	"context"
	"testing"

	"github.com/itchyny/gojq"

	"github.com/meshq/kubectl-meshq/query"
	"github.com/meshq/kubectl-meshq/query/eval"
	"github.com/meshq/kubectl-meshq/query/library"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// two returns a proxy, and the configuration that istiod would send to this proxy.
func two() (proxy, desired *mesh.Object) {
	sections := func(o *mesh.Object, fields *object.Object, weight int) {
		for _, s := range []string{"listeners", "routes", "endpoints", "extensions"} {
			fields.Set(s, []any{})
		}
		cluster := object.Of(
			"name", "x", "state", "ACTIVE", "weight", weight,
			"metadata", object.Of("filterMetadata", object.Of("istio", object.Of("config", "/apis/networking.istio.io/v1/namespaces/shop/destination-rule/dr"))),
		)
		fields.Set("clusters", []any{mesh.NewObject("Cluster", o, cluster)})
	}
	held, sent := object.Of("id", "web-1.shop"), object.New(0)
	proxy = mesh.NewObject("Proxy", nil, held)
	desired = mesh.NewObject("Desired", proxy, sent)
	sections(proxy, held, 2)
	sections(desired, sent, 1)
	return proxy, desired
}

func TestDiff(t *testing.T) {
	proxy, sent := two()
	doors := library.Doors{Desired: func(context.Context, *mesh.Object) (*mesh.Object, error) { return sent, nil }}
	for src, want := range map[string]string{
		`[diff]`:                      `[{"envoy":2,"kind":"Difference","path":".weight","pilot":1,"proxy":"web-1.shop","resource":"x","resourceKind":"Cluster","section":"clusters","source":"DestinationRule/dr.shop"}]`,
		`[diff(desired; .) | .a, .b]`: `[1,2]`,
		`[diff(.; .)]`:                `[]`,
		`[diff(.clusters; desired.clusters) | .a, .b, .source]`: `[2,1,"DestinationRule/dr.shop"]`,
		`jsonPatch(desired; .)`:                                 `[{"op":"replace","path":"/clusters/0/weight","value":2}]`,
		`[diff({a: [1]}; {a: [1, 2]})]`:                         `[{"b":2,"kind":"Difference","path":".a[1]"}]`,
		`jsonPatch({a: 1, "b/c": 2, d: 3}; {d: 3})`:             `[{"op":"remove","path":"/a"},{"op":"remove","path":"/b~1c"}]`,
		`[diff(1; 1, 2) | .b]`:                                  `[2]`,
		`.clusters | try diff catch .`:                          `"diff needs a proxy; diff(a; b) compares any two values"`,
		`try diff({kind: "Mesh"}; 1) catch 0 | .path`:           `"."`,
	} {
		p, err := query.Compile(src, query.Options{Doors: doors})
		if err != nil {
			t.Fatal(src, err)
		}
		got := ""
		err = p.Run(t.Context(), proxy, nil, eval.RunOptions{}, func(v any) error {
			v, err := mesh.Deep(t.Context(), v)
			if err != nil {
				return err
			}
			text, err := gojq.Marshal(object.ToPlain(v))
			got += string(text)
			return err
		})
		if err != nil || got != want {
			t.Errorf("%s: %s, %v", src, got, err)
		}
	}
	check(t, proxy, []expectation{{`diff`, "error: diff: there is no Pilot to ask"}})
	check(t, mesh.NewObject("Mesh", nil, object.New(0)), []expectation{{`diff(.; .)`, "error: diff: a mesh is not compared at once: compare its proxies, or their sections"}})
}
