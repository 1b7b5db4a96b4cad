package diff_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/meshq/kubectl-meshq/query/diff"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// proxy returns a proxy with the given sections or, for another kind, the configuration
// that istiod would send to a proxy.
func proxy(t *testing.T, kind string, sections map[string]string) *mesh.Object {
	t.Helper()
	kinds := map[string]string{"clusters": "Cluster", "listeners": "Listener", "routes": "RouteConfiguration", "endpoints": "Endpoint", "extensions": "ExtensionConfig"}
	fields := object.New(0)
	o := mesh.NewObject(kind, nil, fields)
	for name, of := range kinds {
		list := []any{}
		if text := sections[name]; text != "" {
			for _, v := range parse(t, text).([]any) {
				list = append(list, mesh.NewObject(of, o, v.(*object.Object)))
			}
		}
		fields.Set(name, list)
	}
	return o
}

func compared(t *testing.T, a, b *mesh.Object) (out []string) {
	t.Helper()
	err := diff.Proxies(context.Background(), a, b, diff.Sections(), func(s diff.Section) error {
		for _, c := range s.Changes() {
			text := fmt.Sprintf("%s %s%s %s %v %v", s.Name, c.Resource.Name, c.Resource.Address, diff.PathText(c.Path), c.InA, c.InB)
			if c.Resource.Refused != "" {
				text += " refused: " + c.Resource.Refused
			}
			if c.Resource.Warming {
				text += " warming"
			}
			out = append(out, text)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestProxies(t *testing.T) {
	const clusters = `[{"name":"a","state":"ACTIVE","type":"EDS"},{"name":"b","state":"ACTIVE","type":"EDS"},{"name":"d","state":"ACTIVE","type":"STRICT_DNS"}]`
	const endpoint = `{"cluster":"a","address":"1.1.1.1:80","health":"%s","weight":%s,"priority":0,"locality":null}`
	for name, c := range map[string]struct {
		sent, held map[string]string
		want       []string
	}{
		"what Envoy was started with, and what it lets go of": {
			map[string]string{"clusters": clusters, "listeners": `[{"name":"l","state":"ACTIVE"}]`, "routes": `[{"name":"r","state":"ACTIVE"}]`},
			map[string]string{
				"clusters":  `[{"name":"a","state":"ACTIVE","type":"EDS"},{"name":"b","state":"ACTIVE","type":"EDS"},{"name":"d","state":"ACTIVE","type":"STRICT_DNS"},{"name":"xds-grpc","state":"STATIC"}]`,
				"listeners": `[{"name":"l","state":"ACTIVE"},{"name":"l","state":"DRAINING","x":1},{"name":"old","state":"DRAINING"}]`,
				"routes":    `[{"name":"inbound|80||","state":"STATIC"},{"name":"r","state":"ACTIVE"}]`,
			}, nil,
		},
		"the order of names": {
			map[string]string{"listeners": `[{"name":"l","state":"ACTIVE"},{"name":"k","state":"ACTIVE","x":1}]`},
			map[string]string{"listeners": `[{"name":"k","state":"ACTIVE","x":1},{"name":"l","state":"ACTIVE"}]`}, nil,
		},
		"missing and superfluous": {
			map[string]string{"clusters": `[{"name":"a","state":"ACTIVE"},{"name":"b","state":"ACTIVE"}]`},
			map[string]string{"clusters": `[{"name":"b","state":"ACTIVE"},{"name":"c","state":"ACTIVE"}]`},
			[]string{"clusters a . true false", "clusters c . false true"},
		},
		"one name sent twice": { // Envoy keeps only one cluster with this name
			map[string]string{"clusters": `[{"name":"a","state":"ACTIVE","x":1},{"name":"a","state":"ACTIVE","x":2}]`},
			map[string]string{"clusters": `[{"name":"a","state":"ACTIVE","x":2}]`},
			[]string{"clusters a . true false"},
		},
		"rejected": {
			map[string]string{"listeners": `[{"name":"l","state":"ACTIVE","x":2},{"name":"m","state":"ACTIVE"}]`},
			map[string]string{"listeners": `[{"name":"l","state":"ACTIVE","x":1},{"name":"l","state":"REJECTED","error":"no such filter","x":2},{"name":"m","state":"REJECTED","error":"neither"}]`},
			[]string{"listeners l .x true true refused: no such filter", "listeners m . true false refused: neither"},
		},
		"warming": {
			map[string]string{"clusters": `[{"name":"a","state":"ACTIVE","x":2},{"name":"b","state":"ACTIVE","x":2}]`},
			map[string]string{"clusters": `[{"name":"a","state":"ACTIVE","x":1},{"name":"a","state":"WARMING","x":2},{"name":"b","state":"WARMING","x":2}]`},
			[]string{"clusters a .x true true warming"},
		},
		"addresses that Envoy resolved": {
			map[string]string{"clusters": clusters, "endpoints": `[` + fmt.Sprintf(endpoint, "HEALTHY", "1") + `]`},
			map[string]string{"clusters": clusters, "endpoints": `[` + fmt.Sprintf(endpoint, "HEALTHY", "null") + `,{"cluster":"d","address":"9.9.9.9:443"},{"cluster":"xds-grpc","address":"127.0.0.1:1"}]`},
			nil,
		},
		"endpoints": {
			map[string]string{"clusters": clusters, "endpoints": `[{"cluster":"a","address":"1.1.1.1:80"},{"cluster":"a","address":"1.1.1.2:80"}]`},
			map[string]string{"clusters": clusters, "endpoints": `[{"cluster":"a","address":"1.1.1.3:80"},{"cluster":"a","address":"1.1.1.1:80","weight":2},{"cluster":"b","address":"2.2.2.2:80"}]`},
			[]string{"endpoints a1.1.1.3:80 . false true", "endpoints a1.1.1.1:80 .weight false true", "endpoints a1.1.1.2:80 . true false", "endpoints b2.2.2.2:80 . false true"},
		},
		"Envoy's opinion of a healthy one": {
			map[string]string{"endpoints": `[` + fmt.Sprintf(endpoint, "HEALTHY", "1") + `]`},
			map[string]string{"endpoints": `[` + fmt.Sprintf(endpoint, "UNHEALTHY", "1") + `]`}, nil,
		},
		"a draining one that Envoy thinks well of": {
			map[string]string{"endpoints": `[` + fmt.Sprintf(endpoint, "DRAINING", "1") + `]`},
			map[string]string{"endpoints": `[` + fmt.Sprintf(endpoint, "HEALTHY", "1") + `]`},
			[]string{"endpoints a1.1.1.1:80 .health true true"},
		},
		"extensions": {
			map[string]string{"extensions": `[{"name":"e","state":"ACTIVE","typedConfig":{"@type":"x/a.B","n":1}}]`},
			map[string]string{"extensions": `[{"name":"e","state":"ACTIVE","typedConfig":{"@type":"x/a.B","n":2}}]`},
			[]string{"extensions e .typedConfig.n true true"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := compared(t, proxy(t, "Desired", c.sent), proxy(t, "Proxy", c.held)); !slices.Equal(got, c.want) {
				t.Errorf("%q", got)
			}
		})
	}
	one := map[string]string{"clusters": `[{"name":"xds-grpc","state":"STATIC"}]`}
	if got := compared(t, proxy(t, "Proxy", one), proxy(t, "Proxy", nil)); !slices.Equal(got, []string{"clusters xds-grpc . true false"}) {
		t.Errorf("of two proxies what they were started with counts: %q", got)
	}
}

// TestProxiesLoadsComparedSectionsOnly checks that Proxies loads only the sections that
// it compares, and that it returns the errors of failed loads.
func TestProxiesLoadsComparedSectionsOnly(t *testing.T) {
	gone := errors.New("gone")
	never := mesh.Later(func(context.Context) (any, error) { return nil, gone })
	cluster := func(x int) []any {
		return []any{mesh.NewObject("Cluster", nil, object.Of("name", "a", "state", "ACTIVE", "x", x, "destinationRule", never))}
	}
	a := mesh.NewObject("Desired", nil, object.Of("clusters", cluster(1), "listeners", never, "endpoints", never))
	b := mesh.NewObject("Proxy", nil, object.Of("clusters", cluster(1), "listeners", never, "stats", never))
	count := 0
	look := func(s ...mesh.Section) error {
		return diff.Proxies(context.Background(), a, b, s, func(diff.Section) error { count++; return nil })
	}
	if err := look(mesh.Clusters); err != nil || count != 1 {
		t.Errorf("%v, %d", err, count)
	}
	if err := look(mesh.Clusters, mesh.Listeners); !errors.Is(err, gone) || count != 2 {
		t.Errorf("%v, %d", err, count)
	}
}

func TestCompareLimitsDepth(t *testing.T) {
	var v any = 1
	for range 100_000 {
		v = []any{v}
	}
	if err := diff.Compare(context.Background(), v, v, func(diff.Section) error { return nil }); err == nil {
		t.Error("no depth is too much")
	}
}
