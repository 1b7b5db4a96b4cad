package decode

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"testing"
)

// dump is a real dump of 13.5 MB, where it is there.
func dump(b *testing.B) []byte {
	f, err := os.Open("../../../shared/perf/sidecar-1000-services.config_dump.json.gz")
	if err != nil {
		b.Skip(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		b.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	return data
}

func benchmarkPass(b *testing.B, data []byte, n *Node) {
	d := &Document{Bytes: bytes.NewReader(data)}
	for b.Loop() {
		if _, err := d.Pass(b.Context(), 0, -1, nil, n, func(int, any, int64, int64) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSkip(b *testing.B) { benchmarkPass(b, dump(b), nil) }

func BenchmarkSkipCompact(b *testing.B) {
	var c bytes.Buffer
	if err := json.Compact(&c, dump(b)); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(c.Len()))
	benchmarkPass(b, c.Bytes(), nil)
}

// resources walks to the clusters and wants leaf of each.
func resources(leaf *Node) *Node {
	wrapped := &Node{Walk: true, Elem: &Node{Walk: true, Fields: []Field{{"cluster", leaf}}}}
	return &Node{Walk: true, Fields: []Field{{"configs", &Node{Walk: true, Elem: &Node{Walk: true, Fields: []Field{
		{"static_clusters", wrapped}, {"dynamic_active_clusters", wrapped},
	}}}}}}
}

func BenchmarkNames(b *testing.B) {
	benchmarkPass(b, dump(b), resources(&Node{Fields: []Field{{"name", wholeNode}}, Visit: 1}))
}

func BenchmarkShallow(b *testing.B) {
	benchmarkPass(b, dump(b), resources(&Node{Shallow: true, Visit: 1}))
}

func BenchmarkAll(b *testing.B) { benchmarkPass(b, dump(b), wholeNode) }

// BenchmarkForce touches a value of 300 bytes.
func BenchmarkForce(b *testing.B) {
	in := []byte(`{"name":"outbound|9080||productpage.default.svc.cluster.local","config":{"ads":{},"initial_fetch_timeout":"0s","resource_api_version":"V3"},"thresholds":[{"max_connections":4294967295,"max_pending_requests":4294967295,"max_requests":4294967295,"max_retries":4294967295,"track_remaining":true}]}`)
	d := &Document{Bytes: bytes.NewReader(in)}
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Value(0, int64(len(in)), nil, true).Force(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkStandardAll(b *testing.B) {
	data := dump(b)
	for b.Loop() {
		var v any
		if err := json.Unmarshal(data, &v); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkStandardNames(b *testing.B) {
	data := dump(b)
	for b.Loop() {
		var v struct {
			Configs []struct {
				Active []struct{ Cluster struct{ Name string } } `json:"dynamic_active_clusters"`
			}
		}
		if err := json.Unmarshal(data, &v); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkStandardSkip(b *testing.B) {
	data := dump(b)
	for b.Loop() {
		if !json.Valid(data) {
			b.Fatal("not valid")
		}
	}
}
