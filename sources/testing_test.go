package sources

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

const (
	capture   = "testdata/stale"
	thePilot  = "istiod-78566f45b4-v5qhf.istio-system"
	gateway   = "istio-ingressgateway-674cc989b8-76lqn.istio-system"
	reviewsV2 = "reviews-v2-7d79d5bd5d-8zzqd.default"
	ratingsV1 = "ratings-v1-7dc98c7588-8jsbw.default"
	reviewsV1 = "reviews-v1-7f99cc4496-gdxfn.default"
)

// A counted source wraps a source and counts the requests that it receives.
type counted struct {
	transport.Source
	mu        sync.Mutex
	asked     map[string]int
	now, most int // the current and the largest number of concurrent requests
}

// count counts a request, and returns the function to call when the request
// ends.
func (c *counted) count(what string) func() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.asked == nil {
		c.asked = map[string]int{}
	}
	c.asked[what]++
	c.now++
	c.most = max(c.most, c.now)
	return func() {
		for range 20 {
			runtime.Gosched() // let other goroutines send requests
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.now--
	}
}

// log returns the requests, sorted. A request that was sent more than once is
// followed by the word "again" for each repetition.
func (c *counted) log() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []string
	for _, k := range slices.Sorted(maps.Keys(c.asked)) {
		out = append(out, k+strings.Repeat(" again", c.asked[k]-1))
	}
	return out
}

func (c *counted) Pilot(ctx context.Context, pilot, endpoint string) (*transport.Body, error) {
	defer c.count("pilot " + endpoint)()
	return c.Source.Pilot(ctx, pilot, endpoint)
}

func (c *counted) Fetch(ctx context.Context, proxy, request string, h mesh.Hint) (*transport.Body, error) {
	defer c.count("proxy " + proxy + " " + request)()
	return c.Source.Fetch(ctx, proxy, request, h)
}

func (c *counted) List(ctx context.Context, resource string) (*transport.Body, error) {
	defer c.count("list " + resource)()
	return c.Source.List(ctx, resource)
}

// source opens a recorded source and counts its requests.
func source(t *testing.T, path string) *counted {
	t.Helper()
	s, err := transport.Open(t.Context(), path, transport.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return &counted{Source: s}
}

// open opens a mesh over sources and closes it when the test ends.
func open[S transport.Source](t *testing.T, o Options, sources ...S) *Mesh {
	t.Helper()
	for _, s := range sources {
		o.Sources = append(o.Sources, s)
	}
	m, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// files creates a snapshot with the given files and returns its path. It adds a
// manifest unless there is one.
func files(t *testing.T, all map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	if all["manifest.json"] == "" {
		put(t, dir, "manifest.json", `{"kind":"Snapshot","version":1,"takenAt":"2026-11-22T13:00:00Z"}`)
	}
	for name, text := range all {
		put(t, dir, name, text)
	}
	return dir
}

func put(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// copied returns the path of a copy of the capture that the test may change.
func copied(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(capture)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// at returns the value at a path of fields in v. It fails the test on an error.
func at(t *testing.T, v any, path ...string) any {
	t.Helper()
	v, err := look(t, v, path...)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func look(t *testing.T, v any, path ...string) (any, error) {
	t.Helper()
	for _, key := range path {
		var err error
		if v, err = mesh.Get(t.Context(), v, key); err != nil {
			return nil, err
		}
	}
	return mesh.Force(t.Context(), v)
}

// proxies returns the proxies' objects by id, and the ids in their order. If an id
// is not unique, the name of the cluster precedes it.
func proxies(t *testing.T, m *Mesh) (map[string]*mesh.Object, []string) {
	t.Helper()
	all := at(t, m.Document(), "proxies").([]any)
	by, order := map[string]*mesh.Object{}, []string(nil)
	for _, p := range all {
		id := at(t, p, "id").(string)
		if by[id] != nil {
			cluster, _ := at(t, p, "clusterID").(string)
			id = cluster + "/" + id
		}
		by[id] = p.(*mesh.Object)
		order = append(order, id)
	}
	return by, order
}

// plain converts a value to JSON and decodes it again.
func plain(t *testing.T, v any) any {
	t.Helper()
	v, err := mesh.Deep(t.Context(), v)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return decoded[any](t, b)
}

func decoded[T any](t *testing.T, b []byte) T {
	t.Helper()
	var v T
	if err := object.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func parsed[T any](t *testing.T, path string) T {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return decoded[T](t, b)
}

func faults(m *Mesh) []string {
	var out []string
	for _, f := range m.Faults() {
		out = append(out, f.Error())
	}
	return out
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %s\nwant %s", what, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}

func instantOf(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}
