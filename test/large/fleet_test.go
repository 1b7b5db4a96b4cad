package large

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/query"
	"github.com/meshq/kubectl-meshq/query/eval"
	"github.com/meshq/kubectl-meshq/sources"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/store"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// fleetQueries are queries that read all proxies of a mesh, or as many as they
// need. They keep little of each proxy.
var fleetQueries = []struct{ name, query string }{
	{"length", `[.proxies[] | .clusters | length] | length`},
	{"names", `[.proxies[].clusters[] | select(.name | test("reviews"))] | length`},
	{"whole", `[.proxies[] | .routes | tojson | length] | unique | length`},
	{"held", `[.proxies[].listeners[] | select(.port == 15006) | .filterChains] | length`},
	{"group_by", `.proxies | group_by(.listeners | length) | map(length)`},
	{"any", `any(.proxies[]; [.clusters[] | select(.type == "NONE")] | length > 0)`},
	{"reduce", `reduce .proxies[] as $p (0; . + ($p.endpoints | map(.weight // 1) | add))`},
	{"limit", `[limit(7; .proxies[] | select([.secrets[].name] | length > 0) | .id)]`},
	{"sort_by", `.proxies | sort_by(([.routes[].virtualHosts[]?.domains[]?] | length), .id) | map(.name) | .[:3]`},
}

// fleet writes a snapshot of n proxies. Each has the config dump of the same
// real sidecar, with a name and a version of its own. times multiplies the
// clusters in the dump.
func fleet(tb testing.TB, n int, times int) string {
	tb.Helper()
	const pod = "reviews-v2-7d79d5bd5d-8zzqd"
	dump, err := os.ReadFile("sources/testdata/stale/proxies/" + pod + ".default/config_dump.json")
	if err != nil {
		tb.Fatal(err)
	}
	dump = repeatClusters(tb, dump, times)
	path := filepath.Join(tb.TempDir(), "fleet.tar.zst")
	f, err := os.Create(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	w, err := transport.NewWriter(f, time.Date(2026, 11, 22, 13, 0, 0, 0, time.UTC))
	if err != nil {
		tb.Fatal(err)
	}
	add := func(name string, b []byte) {
		if err := w.Add(name, int64(len(b)), bytes.NewReader(b)); err != nil {
			tb.Fatal(err)
		}
	}
	var synced []string
	for i := range n {
		name := fmt.Sprintf("reviews-v2-%05d", i)
		synced = append(synced, fmt.Sprintf(`{"cluster_id":"Kubernetes","proxy":"%s.default","proxy_type":"sidecar","istio_version":"1.31.0","resources":{}}`, name))
		own := bytes.ReplaceAll(dump, []byte(pod), []byte(name))
		add("proxies/"+name+".default/config_dump.json", bytes.ReplaceAll(own, []byte("2026-11-22T12:"), fmt.Appendf(nil, "2026-11-%02dT%02d:", 1+i/24%28, i%24)))
	}
	add("pilots/istiod.istio-system/syncz.json", []byte("["+strings.Join(synced, ",")+"]"))
	add("pilots/istiod.istio-system/adsz.json", []byte(`{"clients":[]}`))
	add("kubernetes/pods.json", []byte(`{"kind":"List","items":[]}`))
	add("manifest.json", []byte(`{"kind":"Snapshot","version":1,"takenAt":"2026-11-22T13:00:00Z"}`))
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return path
}

// repeatClusters returns a dump in which each outbound cluster is repeated
// under other names.
func repeatClusters(tb testing.TB, dump []byte, times int) []byte {
	tb.Helper()
	var all struct {
		Configs []map[string]any `json:"configs"`
	}
	if err := json.Unmarshal(dump, &all); err != nil {
		tb.Fatal(err)
	}
	for _, part := range all.Configs {
		clusters, _ := part["dynamic_active_clusters"].([]any)
		for i := 1; i < times; i++ {
			for _, c := range clusters[:len(clusters):len(clusters)] {
				text, _ := json.Marshal(c)
				var copied any
				_ = json.Unmarshal(bytes.ReplaceAll(text, []byte(".svc.cluster.local"), fmt.Appendf(nil, "-%d.svc.cluster.local", i)), &copied)
				part["dynamic_active_clusters"] = append(part["dynamic_active_clusters"].([]any), copied)
			}
		}
	}
	b, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// runOverSnapshot runs a query on a snapshot with a memory limit in bytes. It
// returns the results and the store's counters.
func runOverSnapshot(tb testing.TB, path, text string, memory int64) (string, store.Counters) {
	tb.Helper()
	ctx, cancel := context.WithCancel(tb.Context())
	defer cancel()
	s, err := transport.Open(ctx, path, transport.OpenOptions{TempDir: tb.TempDir()})
	if err != nil {
		tb.Fatal(err)
	}
	m, err := sources.Open(ctx, sources.Options{Sources: []transport.Source{s}, Memory: memory})
	if err != nil {
		tb.Fatal(err)
	}
	defer m.Close()
	p, err := query.Compile(text, query.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	var out strings.Builder
	o := eval.RunOptions{Workers: 16, Memory: 1 << 30, Held: func() int64 { return m.Memory().Memory }}
	err = p.Run(ctx, m.Document(), nil, o, func(v any) error {
		v, err := mesh.Deep(ctx, v)
		if err != nil {
			return err
		}
		return json.NewEncoder(&out).Encode(v)
	})
	if err != nil {
		tb.Fatal(err)
	}
	if faults := m.Faults(); len(faults) > 0 {
		tb.Fatal(faults)
	}
	return out.String(), m.Memory()
}

// TestFleetQueriesNeedLittleMemory checks that queries return the same results
// with little memory as with no limit.
func TestFleetQueriesNeedLittleMemory(t *testing.T) {
	const proxies, little = 40, 4 << 20
	path := fleet(t, proxies, 4)
	for _, c := range fleetQueries {
		want, roomy := runOverSnapshot(t, path, c.query, 0)
		got, tight := runOverSnapshot(t, path, c.query, little)
		if got != want || strings.TrimSpace(want) == "" {
			t.Errorf("%s: %s, with room %s", c.name, got, want)
		}
		t.Logf("%-9s peak %5d kB of %d kB, %3d evictions; with room %5d kB", c.name, tight.Peak>>10, little>>10, tight.Evictions, roomy.Peak>>10)
		if tight.Peak > little || roomy.Evictions > 0 {
			t.Errorf("%s: %d bytes at once, %d are allowed; with room %d evictions", c.name, tight.Peak, little, roomy.Evictions)
		}
	}
}

// BenchmarkFleet runs the same queries on fleets of several sizes. It reports
// the peak of memory in use, which doesn't grow with the fleet.
func BenchmarkFleet(b *testing.B) {
	for _, n := range []int{500, 2000} {
		path := fleet(b, n, 4)
		for _, c := range fleetQueries {
			b.Run(fmt.Sprintf("%s/%d", c.name, n), func(b *testing.B) {
				var live, used uint64
				for b.Loop() {
					runtime.GC()
					heap := watchHeap()
					runOverSnapshot(b, path, c.query, 32<<20)
					l, u := heap()
					live, used = max(live, l), max(used, u)
				}
				b.ReportMetric(float64(live)/1e6, "live-MB")
				b.ReportMetric(float64(used)/1e6, "peak-MB")
				b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "us/proxy")
			})
		}
	}
}

// watchHeap samples the heap until the returned function is called. That
// function returns the peak of live bytes, as found by garbage collections, and
// the peak of used bytes, garbage included.
func watchHeap() func() (live, used uint64) {
	var most [2]uint64
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/objects:bytes"}}
		for {
			metrics.Read(sample)
			for i := range most {
				most[i] = max(most[i], sample[i].Value.Uint64())
			}
			select {
			case <-tick.C:
			case <-end:
				return
			}
		}
	}()
	return func() (live, used uint64) {
		close(end)
		<-ended
		return most[0], most[1]
	}
}
