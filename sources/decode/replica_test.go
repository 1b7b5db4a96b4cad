package decode

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"testing"
)

// copies contains how often each list of the small dump is repeated in the large
// one. The large dump has about the size of a sidecar's dump in a mesh of 1,000
// services.
var copies = map[string]int{
	"dynamic_active_clusters": 480, "dynamic_endpoint_configs": 480, "dynamic_route_configs": 200, "dynamic_listeners": 30,
}

// replicated returns a dump of 13.5 MB. It repeats the resources in the small dump
// of a real gateway many times, each time under new names.
func replicated(tb testing.TB) []byte {
	tb.Helper()
	small, err := os.ReadFile("testdata/config_dump.json")
	if err != nil {
		tb.Fatal(err)
	}
	var out bytes.Buffer
	done := int64(0) // offset up to which the small dump was copied
	for _, e := range elements(tb, small) {
		out.Write(small[done:e.end])
		done = e.end
		for i := 1; i < copies[e.list]; i++ {
			out.WriteString(",\n")
			out.Write(renamed(small[e.off:e.end], i))
		}
	}
	out.Write(small[done:])
	return out.Bytes()
}

// renamed returns an element with the number i added to its own name and to the
// names of hosts.
func renamed(element []byte, i int) []byte {
	element = bytes.ReplaceAll(element, []byte(".svc.cluster.local"), fmt.Appendf(nil, "-%d.svc.cluster.local", i))
	return bytes.Replace(element, []byte(`"name": "`), fmt.Appendf(nil, `"name": "%d.`, i), 1)
}

type element struct {
	list     string
	off, end int64
}

// elements returns the offsets of the elements of all lists that are repeated,
// in order.
func elements(tb testing.TB, dump []byte) (all []element) {
	var lists []string
	var fields []Field
	for list := range copies {
		lists = append(lists, list)
		fields = append(fields, Field{list, &Node{Walk: true, Elem: &Node{Walk: true, Visit: len(lists)}}})
	}
	root := &Node{Walk: true, Fields: []Field{{"configs", &Node{Walk: true, Elem: &Node{Walk: true, Fields: fields}}}}}
	d := &Document{Bytes: bytes.NewReader(dump)}
	_, err := d.Pass(context.Background(), 0, -1, nil, root, func(tag int, _ any, off, end int64) error {
		all = append(all, element{lists[tag-1], off, end})
		return nil
	})
	if err != nil || len(all) == 0 {
		tb.Fatal(err)
	}
	return all
}

// recorded returns a real sidecar's dump of 13.5 MB, and skips the benchmark if the
// file is missing.
func recorded(b *testing.B) []byte {
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
	return data
}
