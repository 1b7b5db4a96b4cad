package envoy

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

var all = []mesh.Section{
	mesh.Clusters, mesh.Listeners, mesh.Routes, mesh.Endpoints, mesh.Secrets, mesh.Extensions,
	mesh.Bootstrap, mesh.Server, mesh.Stats, mesh.Loggers, mesh.Updates,
}

// TestSections checks that package mesh lists the same sections of an Envoy,
// and which request each section sends first.
func TestSections(t *testing.T) {
	var known []mesh.Section
	for _, s := range mesh.SectionsOf("sidecar") {
		known = append(known, s.Name)
	}
	if !slices.Equal(known, all) {
		t.Errorf("%v", known)
	}
	elsewhere := map[mesh.Section]string{mesh.Server: "server_info", mesh.Stats: "stats", mesh.Loggers: "logging", mesh.Updates: "stats"}
	for _, s := range all {
		var asked []string
		p := NewProxy(nil, func(_ context.Context, request Request) (*decode.Document, error) {
			asked = append(asked, request.What)
			return nil, errors.New("refused")
		}, when)
		if _, err := p.Section(t.Context(), s); err == nil || err.Error() != "refused" {
			t.Errorf("%s: %v", s, err)
		}
		if want := []string{cmp.Or(elsewhere[s], "config_dump")}; !slices.Equal(asked, want) {
			t.Errorf("%s asks for %v, not %v", s, asked, want)
		}
	}
	if _, err := open(t, "testdata/gateway").Section(t.Context(), mesh.Workloads); err == nil {
		t.Error("an Envoy has workloads")
	}
}

// TestKindsAndFields checks that the kinds and fields of a proxy's objects are
// exactly those in package mesh.
func TestKindsAndFields(t *testing.T) {
	seen := map[string]map[string]bool{}
	var walk func(v any)
	walk = func(v any) {
		switch x := v.(type) {
		case []any:
			for _, w := range x {
				walk(w)
			}
		case *object.Object:
			if kind, ok := x.Get("kind").(string); ok && seen[kind] == nil {
				seen[kind] = map[string]bool{}
			}
			for k, w := range x.All() {
				if kind, ok := x.Get("kind").(string); ok {
					seen[kind][k] = true
				}
				walk(w)
			}
		}
	}
	for _, dir := range []string{"testdata/reviews-v2", "testdata/ratings-v1", "testdata/gateway"} {
		p := open(t, dir)
		for _, s := range []mesh.Section{mesh.Clusters, mesh.Listeners, mesh.Routes, mesh.Secrets} {
			walk(whole(t, p, s))
		}
	}
	walk(whole(t, open(t, "testdata/gateway"), mesh.Endpoints))
	if !seen["Listener"]["error"] {
		t.Error("no listener with an error")
	}
	for _, kind := range []string{"Cluster", "Listener", "RouteConfiguration", "VirtualHost", "Route", "Endpoint", "Secret"} {
		k, ok := mesh.KindOf(kind)
		if !ok || seen[kind] == nil {
			t.Errorf("%s: none seen", kind)
		}
		known := map[string]bool{"kind": true, "@type": true}
		for _, f := range k.Fields {
			known[f.Name] = true
			if !seen[kind][f.Name] && f.Name != "error" {
				t.Errorf("%s.%s: never there", kind, f.Name)
			}
		}
		for _, f := range MessageFields(kind) {
			known[f] = true
		}
		for f := range seen[kind] {
			if !known[f] {
				t.Errorf("%s.%s: not in the vocabulary", kind, f)
			}
		}
	}
}

// A counting is a reader that counts the bytes that it returns.
type counting struct {
	*bytes.Reader
	n atomic.Int64
}

func (c *counting) ReadAt(b []byte, off int64) (int, error) {
	n, err := c.Reader.ReadAt(b, off)
	c.n.Add(int64(n))
	return n, err
}

// TestPasses counts how many bytes are read. Reading the first section passes
// over the whole dump. Reading the next one reads only its own part, and large
// values in it stay undecoded.
func TestPasses(t *testing.T) {
	b, err := os.ReadFile("testdata/reviews-v2/config_dump.json")
	if err != nil {
		t.Fatal(err)
	}
	in := &counting{Reader: bytes.NewReader(b)}
	doc := &decode.Document{Bytes: in}
	p := NewProxy(nil, func(context.Context, Request) (*decode.Document, error) { return doc, nil }, when)
	touch := func(s mesh.Section) int64 {
		before := in.n.Load()
		if _, err := p.Section(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		return in.n.Load() - before
	}
	if n := touch(mesh.Clusters); n < int64(len(b)) || n > 2*int64(len(b)) {
		t.Errorf("the first pass read %d bytes of %d", n, len(b))
	}
	if n := touch(mesh.Secrets); n > 70<<10 {
		t.Errorf("the pass over secrets read %d bytes of %d", n, len(b))
	}
	doc2 := &decode.Document{Bytes: bytes.NewReader([]byte(`{"configs":[]}`))}
	doc = doc2
	if _, err := p.Section(t.Context(), mesh.Clusters); !absent(err) {
		t.Errorf("places of one answer were used for another: %v", err)
	}
}

func TestAtOnce(t *testing.T) {
	p := open(t, "testdata/gateway")
	var wait sync.WaitGroup
	for i := range 16 {
		wait.Go(func() {
			s := all[i%6]
			v, err := p.Section(t.Context(), s)
			if err == nil {
				_, err = mesh.Deep(t.Context(), v)
			}
			if err != nil {
				t.Errorf("%s: %v", s, err)
			}
		})
	}
	wait.Wait()
}

// TestOwners checks that the proxy is the owner of all objects of its sections.
// The virtual hosts in a route configuration, and the routes in those, must
// also be objects with a kind and this owner.
func TestOwners(t *testing.T) {
	p := open(t, "testdata/gateway")
	for _, s := range all[:6] {
		v, err := p.Section(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range v.([]any) {
			if o := e.(*mesh.Object); o.Owner != p.owner || o.Owner == nil {
				t.Errorf("%s: %s belongs to %v", s, o.Kind, o.Owner)
			}
		}
	}
	v, _ := p.Section(t.Context(), mesh.Routes)
	m, err := v.([]any)[0].(*mesh.Object).Fields(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct{ field, kind string }{{"virtualHosts", "VirtualHost"}, {"routes", "Route"}} {
		list, err := elements(t.Context(), m.Get(step.field))
		if err != nil || len(list) == 0 {
			t.Fatalf("%s: %v", step.field, err)
		}
		o, ok := list[0].(*mesh.Object)
		if !ok || o.Kind != step.kind || o.Owner != p.owner {
			t.Fatalf("%s: %v", step.field, list[0])
		}
		if m, err = o.Fields(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestBrokenBodies(t *testing.T) {
	good, err := os.ReadFile("testdata/gateway/config_dump.json")
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		string(good[:len(good)/2]):   "config_dump.json: unexpected end of JSON at byte 51876",
		string(good) + "x":           "config_dump.json: ",
		"":                           "config_dump.json: ",
		`{"configs":[}`:              "config_dump.json: ",
		`{"configs":{"clusters":1}}`: "config_dump.json: no ClustersConfigDump in it",
		`[]`:                         "config_dump.json: no ClustersConfigDump in it",
	} {
		_, err := NewProxy(nil, answer(configDump, "config_dump.json", text), when).Section(t.Context(), mesh.Clusters)
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%.30s…: %v", text, err)
		}
	}
	for _, c := range []struct {
		s       mesh.Section
		request string
	}{{mesh.Server, serverInfo}, {mesh.Stats, statistics}, {mesh.Endpoints, clusters}} {
		fetch := func(_ context.Context, r Request) (*decode.Document, error) {
			if r.What != c.request {
				return nil, fs.ErrNotExist
			}
			return body(r.What+".json", []byte(`{"a":[`)), nil
		}
		_, err := NewProxy(nil, fetch, when).Section(t.Context(), c.s)
		if err == nil || err.Error() != c.request+".json: unexpected end of JSON at byte 6" {
			t.Errorf("%s: %v", c.s, err)
		}
	}
}

// TestUnexpectedForms replaces random values in a dump by others of another
// type. Reading a section must return a value or an error, and must not panic.
func TestUnexpectedForms(t *testing.T) {
	dump := raw(t, "testdata/ratings-v1/config_dump.json")
	hosts := raw(t, "testdata/reviews-v2/clusters.json")
	random := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		for i, v := range []any{dump, hosts} {
			place := pick(random, v)
			if place == nil {
				continue
			}
			restore := place()
			b, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			restore()
			request := []string{configDump, clusters}[i]
			p := NewProxy(nil, func(_ context.Context, r Request) (*decode.Document, error) {
				if r.What != request {
					return nil, fs.ErrNotExist
				}
				return body(r.What, b), nil
			}, when)
			for _, s := range all[:7] {
				if v, err := p.Section(t.Context(), s); err == nil {
					_, _ = mesh.Deep(t.Context(), v)
				}
			}
			_, _ = Identify(t.Context(), body("x", b))
		}
	}
}

// pick chooses a random position in a value and returns a function that
// replaces the value there. The returned function itself returns a function
// that restores the old value.
func pick(random *rand.Rand, v any) func() func() {
	others := []any{nil, 7, "text", true, []any{}, object.New(0), []any{[]any{nil}}, object.Of("name", 1)}
	other := others[random.IntN(len(others))]
	for depth := 0; ; depth++ {
		stop := depth > 1 && random.IntN(5) == 0
		switch x := v.(type) {
		case []any:
			if len(x) == 0 {
				return nil
			}
			i := random.IntN(len(x))
			if stop {
				return func() func() { old := x[i]; x[i] = other; return func() { x[i] = old } }
			}
			v = x[i]
		case *object.Object:
			if x.Len() == 0 {
				return nil
			}
			keys := slices.Sorted(func(yield func(string) bool) {
				for k := range x.All() {
					if !yield(k) {
						return
					}
				}
			})
			k := keys[random.IntN(len(keys))]
			if stop {
				return func() func() { old := x.Get(k); x.Set(k, other); return func() { x.Set(k, old) } }
			}
			v = x.Get(k)
		default:
			return nil
		}
	}
}

func FuzzHostLines(f *testing.F) {
	f.Add("a::10.0.0.1:80::cx_active::1")
	f.Add("a::[::1]:80::health_flags::/failed_eds_health")
	f.Fuzz(func(t *testing.T, text string) {
		table := &hostTable{doc: body("clusters", []byte(text))}
		_ = table.readText(t.Context())
		for i := range table.rows {
			if _, err := table.rows[i].counters(t.Context()); err != nil {
				t.Error(err)
			}
		}
		_ = statLine(text)
	})
}
