package diff_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"

	"github.com/meshq/kubectl-meshq/query/diff"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

func parse(t testing.TB, text string) any {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatal(text, err)
	}
	return object.FromPlain(v)
}

func show(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// sections compares two values and returns the results for all sections.
func sections(t testing.TB, a, b any) (out []diff.Section) {
	t.Helper()
	err := diff.Compare(context.Background(), a, b, func(s diff.Section) error {
		out = append(out, s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// differs returns the differences of two values, one per line: "path: a → b".
func differs(t testing.TB, a, b any) (out []string) {
	t.Helper()
	for _, s := range sections(t, a, b) {
		for _, c := range s.Changes() {
			side := func(in bool, v any) string {
				if !in {
					return "nothing"
				}
				return show(t, v)
			}
			text := diff.PathText(c.Path) + ": " + side(c.InA, c.A) + " → " + side(c.InB, c.B)
			if c.Resource != nil && c.Resource.Name != "" {
				text = c.Resource.Name + " " + text
			}
			if c.Source != "" {
				text += " of " + c.Source
			}
			out = append(out, text)
		}
	}
	return out
}

// patched creates the JSON Patch that changes a into b, and applies it to a with another
// library.
func patched(t testing.TB, a, b any) any {
	t.Helper()
	ops := []*object.Object{}
	for _, s := range sections(t, a, b) {
		for _, op := range s.Patch() {
			m := object.Of("op", op.Op, "path", op.Path)
			if op.Op != "remove" {
				m.Set("value", op.Value)
			}
			ops = append(ops, m)
		}
	}
	if len(ops) == 1 && ops[0].Get("path") == "" { // the other library can't replace a whole document
		return ops[0].Get("value")
	}
	p, err := jsonpatch.DecodePatch([]byte(show(t, ops)))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := p.Apply([]byte(show(t, a)))
	if err != nil {
		t.Fatalf("%s\nto %s: %v", show(t, ops), show(t, a), err)
	}
	return parse(t, string(doc))
}

// TestPlainValuesAreComparedExactly checks that values outside of Envoy's messages
// are compared exactly, as JSON.
func TestPlainValuesAreComparedExactly(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want []string
	}{
		{`1`, `1.0`, nil},
		{`100000000000000000000`, `100000000000000000001`, []string{". 1"}},
		{`"1"`, `1`, []string{". 1"}},
		{`{"a":null}`, `{}`, []string{". 1"}},
		{`{"a":[]}`, `{}`, []string{". 1"}},
		{`{"domains":["a","b"]}`, `{"domains":["b","a"]}`, []string{". 1"}},
		{`{"timeout":"1s"}`, `{"timeout":"1.0s"}`, []string{". 1"}},
		{`{"kind":"Service","spec":1}`, `{"kind":"Gateway","spec":1}`, []string{". 1"}},
		{`{"kind":"Route","apiVersion":"v1","destinations":1}`, `{"kind":"Route","apiVersion":"v1","destinations":2}`, []string{". 1"}},
		{`{"password":"a"}`, `{"password":"b"}`, []string{". 1"}},
		{`["x","y"]`, `["x","y"]`, nil},
	} {
		a, b := parse(t, c.a), parse(t, c.b)
		if got := differs(t, a, b); (len(got) > 0) != (len(c.want) > 0) {
			t.Errorf("%s and %s: %v", c.a, c.b, got)
		}
		if len(c.want) > 0 && show(t, patched(t, a, b)) != show(t, b) {
			t.Errorf("%s doesn't become %s", c.a, c.b)
		}
	}
	got := differs(t, parse(t, `{"a":[1,2,3,4,5],"b":{"x-y":1,"gone":2},"same":1}`), parse(t, `{"a":[0,1,2,4,9],"b":{"x-y":2,"new":3},"same":1}`))
	want := []string{
		`.a[0]: nothing → 0`, `.a[2]: 3 → nothing`, `.a[4]: 5 → 9`, `.b.gone: 2 → nothing`, `.b.new: nothing → 3`, `.b.["x-y"]: 1 → 2`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// TestEqualAsEnvoyReadsThem checks values that differ as JSON but have the same meaning
// to Envoy. The values are inside a Cluster, unless the test case names another kind.
func TestEqualAsEnvoyReadsThem(t *testing.T) {
	const istio = `"@type":"type.googleapis.com/istio.envoy.config.filter.http.alpn.v2alpha1.FilterConfig"`
	for name, c := range map[string][2]string{
		"istio/istio#12958: the first word of an enum": {`{"type":"STATIC","connectTimeout":"1s"}`, `{"connectTimeout":"1s"}`},
		"istio/istio#23735: a type of another version": {`{"x":{"@type":"type.googleapis.com/envoy.api.v2.auth.UpstreamTlsContext","sni":"a"}}`, `{"x":{"@type":"type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext","sni":"a"}}`},
		"istio/istio#10293: the order of headers":      {`{"requestHeadersToAdd":[{"header":{"key":"a","value":"1"}},{"header":{"key":"b","value":"2"}}]}`, `{"requestHeadersToAdd":[{"header":{"key":"b","value":"2"}},{"header":{"key":"a","value":"1"}}]}`},
		"facts of ours": {`{"state":"ACTIVE","versionInfo":"1","lastUpdated":null,"destinationRule":"a.b","fqdn":"x"}`, `{"state":"ACTIVE","versionInfo":"2","lastUpdated":"2026-01-01T00:00:00Z"}`},
		"a type that isn't known, in both spellings": {`{"x":{` + istio + `,"alpnOverride":[{"upstreamProtocol":"HTTP10","alpnOverride":["istio"]}]}}`, `{"x":{` + istio + `,"alpn_override":[{"upstream_protocol":"HTTP10","alpn_override":["istio"]}]}}`},
		"a duration":                         {`{"connectTimeout":"1s","x":{"timeout":"0.500s"}}`, `{"connectTimeout":"1.000s","x":{"timeout":"0.5s"}}`},
		"a number of 64 bits is a text":      {`{"n":"4294967296","m":1}`, `{"n":4294967296,"m":1.0}`},
		"null and empty lists":               {`{"a":[],"b":null}`, `{}`},
		"what Envoy doesn't show":            {`{"apiKey":"secret"}`, `{"apiKey":"[redacted]"}`},
		"domains":                            {`{"domains":["a","b","c"]}`, `{"domains":["c","a","b"]}`},
		"virtual hosts":                      {`{"virtualHosts":[{"name":"a","domains":["a"]},{"name":"b","domains":["b"]}]}`, `{"virtualHosts":[{"name":"b","domains":["b"]},{"name":"a","domains":["a"]}]}`},
		"filter chains, several of one name": {`{"filterChains":[{"name":"a","filterChainMatch":{"destinationPort":1}},{"name":"a","filterChainMatch":{"destinationPort":2}}]}`, `{"filterChains":[{"name":"a","filterChainMatch":{"destinationPort":2}},{"name":"a","filterChainMatch":{"destinationPort":1}}]}`},
		"weights, by cluster":                {`{"weightedClusters":{"clusters":[{"name":"a","weight":1},{"name":"b","weight":2}]}}`, `{"weightedClusters":{"clusters":[{"name":"b","weight":2},{"name":"a","weight":1}]}}`},
		"what a field has that is not set":   {`{"altStatName":"","drainType":"DEFAULT","perConnectionBufferLimitBytes":4}`, `{"perConnectionBufferLimitBytes":4}`},
	} {
		a, b := inCluster(t, c[0]), inCluster(t, c[1])
		for range 2 {
			if got := differs(t, a, b); len(got) > 0 {
				t.Errorf("%s: %q", name, got)
			}
			a, b = b, a
		}
	}
}

func inCluster(t testing.TB, text string) *object.Object {
	m := parse(t, text).(*object.Object)
	m.Set("kind", "Cluster")
	m.Set("name", "x")
	return m
}

func TestDifferentAsEnvoyReadsThem(t *testing.T) {
	for name, c := range map[string]struct {
		a, b string
		want []string
	}{
		"the order of routes": {
			`{"routes":[{"name":"a","match":{"prefix":"/a"}},{"name":"b","match":{"prefix":"/b"}}]}`, `{"routes":[{"name":"b","match":{"prefix":"/b"}},{"name":"a","match":{"prefix":"/a"}}]}`,
			[]string{`x .routes[0]: {"match":{"prefix":"/a"},"name":"a"} → nothing`, `x .routes[1]: nothing → {"match":{"prefix":"/a"},"name":"a"}`},
		},
		"the order of filters": {
			`{"filters":[{"name":"a"},{"name":"b"},{"name":"c"}]}`, `{"filters":[{"name":"b"},{"name":"c"},{"name":"a"}]}`,
			[]string{`x .filters[0]: {"name":"a"} → nothing`, `x .filters[2]: nothing → {"name":"a"}`},
		},
		"a route in front": {
			`{"routes":[{"name":"b","match":{"prefix":"/b"}}]}`, `{"routes":[{"name":"a","match":{"prefix":"/a"}},{"name":"b","match":{"prefix":"/b"}}]}`,
			[]string{`x .routes[0]: nothing → {"match":{"prefix":"/a"},"name":"a"}`},
		},
		"a changed route, by its match": {
			`{"routes":[{"match":{"prefix":"/a"},"w":1},{"match":{"prefix":"/b"},"w":1}]}`, `{"routes":[{"match":{"prefix":"/b"},"w":2}]}`,
			[]string{`x .routes[0]: {"match":{"prefix":"/a"},"w":1} → nothing`, `x .routes[1].w: 1 → 2`},
		},
		"the values of one header, in order": {
			`{"requestHeadersToAdd":[{"header":{"key":"a","value":"1"}},{"header":{"key":"A","value":"2"}}]}`, `{"requestHeadersToAdd":[{"header":{"key":"A","value":"2"}},{"header":{"key":"a","value":"1"}}]}`,
			[]string{
				`x .requestHeadersToAdd[0].header.key: "a" → "A"`, `x .requestHeadersToAdd[0].header.value: "1" → "2"`,
				`x .requestHeadersToAdd[1].header.key: "A" → "a"`, `x .requestHeadersToAdd[1].header.value: "2" → "1"`,
			},
		},
		"a domain more": {`{"domains":["a","b"]}`, `{"domains":["c","b","a"]}`, []string{`x .domains[0]: nothing → "c"`}},
		"a word that is written and isn't the first": {`{"lbPolicy":"RANDOM"}`, `{}`, []string{`x .lbPolicy: "RANDOM" → nothing`}},
		"the zero of a wrapped number":               {`{"maxConnections":0}`, `{}`, []string{`x .maxConnections: 0 → nothing`}},
		"an empty message":                           {`{"ads":{}}`, `{}`, []string{`x .ads: {} → nothing`}},
		"no timeout and the default one":             {`{"timeout":"0s"}`, `{}`, []string{`x .timeout: "0s" → nothing`}},
		"metadata is data":                           {`{"metadata":{"filterMetadata":{"a":{"n":"1s","l":["x","y"]}}}}`, `{"metadata":{"filterMetadata":{"a":{"n":"1.0s","l":["y","x"]}}}}`, []string{`x .metadata.filterMetadata.a.l[0]: "x" → nothing`, `x .metadata.filterMetadata.a.l[1]: nothing → "x"`, `x .metadata.filterMetadata.a.n: "1s" → "1.0s"`}},
		"another type of one name and version":       {`{"x":{"@type":"type.googleapis.com/envoy.a.v3.Config"}}`, `{"x":{"@type":"type.googleapis.com/envoy.b.v3.Config"}}`, []string{`x .x.["@type"]: "type.googleapis.com/envoy.a.v3.Config" → "type.googleapis.com/envoy.b.v3.Config"`}},
		"whose it is": {
			`{"metadata":{"filterMetadata":{"istio":{"config":"/apis/networking.istio.io/v1/namespaces/shop/destination-rule/dr"}}},"lbPolicy":"RANDOM"}`,
			`{"metadata":{"filterMetadata":{"istio":{"config":"/apis/networking.istio.io/v1/namespaces/shop/destination-rule/dr"}}},"lbPolicy":"MAGLEV"}`,
			[]string{`x .lbPolicy: "RANDOM" → "MAGLEV" of DestinationRule/dr.shop`},
		},
		"secrets are not shown": {`{"x":{"privateKey":{"inlineString":"a","filename":"f"}}}`, `{}`, []string{`x .x: {"privateKey":{"filename":"f","inlineString":"[redacted]"}} → nothing`}},
	} {
		t.Run(name, func(t *testing.T) {
			a := mesh.NewObject("Cluster", nil, inCluster(t, c.a))
			b := mesh.NewObject("Cluster", nil, inCluster(t, c.b))
			if got := differs(t, a, b); !slices.Equal(got, c.want) {
				t.Errorf("%q", got)
			}
		})
	}
}

// random returns a random JSON value.
func random(r *rand.Rand, depth int) any {
	switch n := r.IntN(10); {
	case n < 3 && depth > 0:
		m := object.New(0)
		for range r.IntN(5) {
			m.Set(string(rune('a'+r.IntN(6)))+[]string{"", "/", "~", "_x"}[r.IntN(4)], random(r, depth-1))
		}
		return m
	case n < 6 && depth > 0:
		a := []any{}
		for range r.IntN(6) {
			a = append(a, random(r, depth-1))
		}
		return a
	case n == 7:
		return nil
	case n == 8:
		return r.IntN(2) == 0
	case n == 9:
		return json.Number(fmt.Sprint(r.IntN(4)))
	}
	return []string{"x", "y", "1s", "1.0s", "1"}[r.IntN(5)]
}

// changed returns a copy of a value with some random changes.
func changed(r *rand.Rand, v any) any {
	switch x := v.(type) {
	case *object.Object:
		out := object.New(0)
		for _, k := range x.Sorted() {
			if r.IntN(8) > 0 {
				out.Set(k, changed(r, x.Get(k)))
			}
		}
		if r.IntN(6) == 0 {
			out.Set("new", random(r, 1))
		}
		return out
	case []any:
		out := []any{}
		for _, e := range x {
			switch r.IntN(10) {
			case 0:
			case 1:
				out = append(out, random(r, 1), e)
			default:
				out = append(out, changed(r, e))
			}
		}
		if len(out) > 1 && r.IntN(8) == 0 {
			i := r.IntN(len(out) - 1)
			out[i], out[i+1] = out[i+1], out[i]
		}
		return out
	}
	if r.IntN(6) == 0 {
		return random(r, 1)
	}
	return v
}

func TestPlainPatches(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	differing := 0
	for range 1500 {
		a := object.Of("v", random(r, 4))
		b := changed(r, a)
		if got := differs(t, a, a); len(got) > 0 {
			t.Fatalf("%s and itself: %q", show(t, a), got)
		}
		found := differs(t, a, b)
		if same := object.Equal(a, b); same != (len(found) == 0) {
			t.Fatalf("%s and %s: %q", show(t, a), show(t, b), found)
		}
		if len(found) == 0 {
			continue
		}
		differing++
		if got := patched(t, a, b); !object.Equal(got, b) {
			t.Fatalf("%s\nbecomes %s\nnot     %s", show(t, a), show(t, got), show(t, b))
		}
	}
	if differing < 500 {
		t.Errorf("%d pairs differ", differing)
	}
}

// listener is a Listener that contains lists of every kind that the rules distinguish.
const listener = `{"kind":"Listener","name":"0.0.0.0_80","filterChains":[
 {"name":"a","filterChainMatch":{"destinationPort":80,"applicationProtocols":["http/1.1","h2c"]},"filters":[{"name":"f1"},{"name":"hcm","typedConfig":{
  "@type":"type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager","statPrefix":"s","httpFilters":[{"name":"h1"},{"name":"h2"},{"name":"router"}],
  "routeConfig":{"name":"80","virtualHosts":[
   {"name":"v1","domains":["a","b","c"],"routes":[{"match":{"prefix":"/x"},"route":{"weightedClusters":{"clusters":[{"name":"c1","weight":5},{"name":"c2","weight":95}]},"timeout":"0s"}},{"match":{"prefix":"/"},"route":{"cluster":"c3"}}],
    "requestHeadersToAdd":[{"header":{"key":"k1","value":"1"}},{"header":{"key":"k2","value":"2"}}]},
   {"name":"v2","domains":["*"],"routes":[{"match":{"prefix":"/","headers":[{"name":"h","stringMatch":{"exact":"1"}},{"name":"i","presentMatch":true}]},"directResponse":{"status":404}}]}]}}}]},
 {"name":"a","filterChainMatch":{"destinationPort":81},"filters":[{"name":"tcp","typedConfig":{"@type":"type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy","cluster":"c4"}}]},
 {"name":"b","filterChainMatch":{"serverNames":["x","y"]},"filters":[{"name":"tcp"}]}],
 "listenerFilters":[{"name":"tls_inspector"},{"name":"original_dst"}]}`

// shuffled returns a copy of a value. The elements of each list whose order has no
// meaning are shuffled.
func shuffled(r *rand.Rand, v any) any {
	switch x := v.(type) {
	case *object.Object:
		out := object.New(0)
		for k, e := range x.All() {
			out.Set(k, shuffled(r, e))
			list, ok := out.Get(k).([]any)
			free := []string{"filterChains", "virtualHosts", "domains", "clusters", "requestHeadersToAdd", "headers", "applicationProtocols", "serverNames"}
			if ok && slices.Contains(free, k) {
				r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
			}
		}
		return out
	case []any:
		out := make([]any, len(x))
		for i, e := range x {
			out[i] = shuffled(r, e)
		}
		return out
	}
	return v
}

func TestEnvoysPatches(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		a := parse(t, listener)
		if got := differs(t, a, shuffled(r, a)); len(got) > 0 {
			t.Fatalf("shuffled: %q", got)
		}
		b := changed(r, a).(*object.Object)
		b.Set("kind", "Listener")
		b = shuffled(r, b).(*object.Object)
		if got := differs(t, patched(t, a, b), b); len(got) > 0 {
			t.Fatalf("%s\npatched still differs: %q", show(t, b), got)
		}
		if got, back := differs(t, a, b), differs(t, b, a); (len(got) == 0) != (len(back) == 0) {
			t.Fatalf("%q, and back %q", got, back)
		}
	}
}
