package decode

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// A job is a part of a dump that this package and encoding/json both read.
// encoding/json reads it in its cheapest way: into a struct with only the requested
// fields, or with json.Valid if nothing is requested.
type job struct {
	node *Node
	peer func([]byte) error
}

// resources returns a node that searches the lists and applies leaf to the member
// field of each element.
func resources(field string, leaf *Node, lists ...string) *Node {
	wrapped := &Node{Walk: true, Elem: &Node{Walk: true, Fields: []Field{{field, leaf}}}}
	part := &Node{Walk: true}
	for _, l := range lists {
		part.Fields = append(part.Fields, Field{l, wrapped})
	}
	return &Node{Walk: true, Fields: []Field{{"configs", &Node{Walk: true, Elem: part}}}}
}

func clusters(leaf *Node) *Node {
	return resources("cluster", leaf, "static_clusters", "dynamic_active_clusters")
}

func routes(leaf *Node) *Node { return resources("route_config", leaf, "dynamic_route_configs") }

func into[T any](b []byte) error {
	var v T
	return json.Unmarshal(b, &v)
}

func valid(b []byte) error {
	if !json.Valid(b) {
		return &SyntaxError{}
	}
	return nil
}

type someClusters struct {
	Configs []struct {
		Static []struct{ Cluster struct{ Name string } } `json:"static_clusters"`
		Active []struct{ Cluster struct{ Name string } } `json:"dynamic_active_clusters"`
	}
}

type someRoutes struct {
	Configs []struct {
		Active []struct {
			Config map[string]json.RawMessage `json:"route_config"`
		} `json:"dynamic_route_configs"`
	}
}

type allRoutes struct {
	Configs []struct {
		Active []struct {
			Config any `json:"route_config"`
		} `json:"dynamic_route_configs"`
	}
}

var jobs = map[string]job{
	"skip":   {nil, valid},
	"names":  {clusters(&Node{Walk: true, Fields: []Field{{"name", &Node{Visit: 1}}}}), into[someClusters]},
	"route":  {routes(&Node{Fields: []Field{{"name", wholeNode}, {"virtual_hosts", &Node{Raw: true}}}, Visit: 2}), into[someRoutes]},
	"levels": {clusters(&Node{Shallow: true, Visit: 1}), into[someClusters]},
	"routes": {routes(&Node{All: true, Visit: 1}), into[allRoutes]},
	"all":    {wholeNode, into[any]},
}

// BenchmarkPass reads different parts of a dump of 13.5 MB: nothing, the names of
// the clusters, one route configuration by name, the clusters one level deep, the
// routes whole, and everything. The metric x-std is the time that encoding/json
// takes for the same part, divided by the time of this package.
func BenchmarkPass(b *testing.B) { besideStandard(b, replicated(b)) }

// BenchmarkPassRecorded does the same as BenchmarkPass with a real dump.
func BenchmarkPassRecorded(b *testing.B) { besideStandard(b, recorded(b)) }

// BenchmarkPassCompact does the same as BenchmarkPass with a dump that has no white
// space.
func BenchmarkPassCompact(b *testing.B) {
	var c bytes.Buffer
	if err := json.Compact(&c, replicated(b)); err != nil {
		b.Fatal(err)
	}
	besideStandard(b, c.Bytes())
}

func besideStandard(b *testing.B, data []byte) {
	for _, name := range []string{"skip", "names", "route", "levels", "routes", "all"} {
		b.Run(name, func(b *testing.B) { jobs[name].run(b, data) })
	}
}

func (j job) run(b *testing.B, data []byte) {
	const peers = 5 // number of runs of encoding/json; each takes long
	d := &Document{Bytes: bytes.NewReader(data)}
	last := lastRoute(b, d)
	visit := func(tag int, v any, _, _ int64) error {
		if m, _ := v.(*object.Object); tag == 2 && m.Get("name") == last {
			_, err := m.Get("virtual_hosts").(*Value).Deep(b.Context())
			return err
		}
		return nil
	}
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	var own, theirs []time.Duration
	for b.Loop() {
		began := time.Now()
		if _, err := d.Pass(b.Context(), 0, -1, nil, j.node, visit); err != nil {
			b.Fatal(err)
		}
		own = append(own, time.Since(began))
		if len(theirs) < peers {
			b.StopTimer()
			began = time.Now()
			if err := j.peer(data); err != nil {
				b.Fatal(err)
			}
			theirs = append(theirs, time.Since(began))
			b.StartTimer()
		}
	}
	b.ReportMetric(float64(median(theirs))/float64(median(own[:len(theirs)])), "x-std")
}

// lastRoute returns the name of the last route configuration of a dump.
func lastRoute(b *testing.B, d *Document) (name string) {
	_, err := d.Pass(b.Context(), 0, -1, nil, routes(&Node{Fields: []Field{{"name", wholeNode}}, Visit: 1}), func(_ int, v any, _, _ int64) error {
		name, _ = v.(*object.Object).Get("name").(string)
		return nil
	})
	if err != nil || name == "" {
		b.Fatal(err)
	}
	return name
}

func median(all []time.Duration) time.Duration {
	all = slices.Sorted(slices.Values(all))
	return all[len(all)/2]
}

// BenchmarkForce decodes a value of 300 bytes.
func BenchmarkForce(b *testing.B) {
	in := []byte(`{"name":"outbound|9080||productpage.default.svc.cluster.local","config":{"ads":{},"initial_fetch_timeout":"0s","resource_api_version":"V3"},"thresholds":[{"max_connections":4294967295,"max_pending_requests":4294967295,"max_requests":4294967295,"max_retries":4294967295,"track_remaining":true}]}`)
	for name, twins := range map[string]*Twins{"apart": nil, "shared": roomy()} {
		b.Run(name, func(b *testing.B) {
			d := twinned(string(in), twins)
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := d.Value(0, int64(len(in)), nil, true).Force(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkFleet measures the memory of the dumps of several proxies of a mesh,
// with and without a table of shared values. The dumps differ only in their
// timestamps.
func BenchmarkFleet(b *testing.B) {
	data := replicated(b)
	all := make([]string, 4)
	for i := range all {
		all[i] = string(bytes.ReplaceAll(data, []byte("2026-11-"), []byte{'2', '0', '2', byte('1' + i), '-', '1', '1', '-'}))
	}
	for _, name := range []string{"shared", "apart"} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data) * len(all)))
			var live int64
			for b.Loop() {
				b.StopTimer()
				before := heap()
				b.StartTimer()
				kept := hold(b, all, name == "shared")
				b.StopTimer()
				live = heap() - before
				if len(kept) != len(all) {
					b.Fatal(len(kept))
				}
				b.StartTimer()
			}
			b.ReportMetric(float64(live)/1e6/float64(len(all)), "MB/dump")
		})
	}
}

// hold decodes all documents whole and returns the values, so that they stay in
// memory.
func hold(b *testing.B, all []string, shared bool) (kept []any) {
	var twins *Twins
	if shared {
		twins = roomy()
	}
	for _, text := range all {
		v, err := twinned(text, twins).Pass(b.Context(), 0, -1, nil, wholeNode, nil)
		if err != nil {
			b.Fatal(err)
		}
		kept = append(kept, v)
	}
	return kept
}
