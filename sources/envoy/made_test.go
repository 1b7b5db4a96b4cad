package envoy

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// TestCostsAreNearTheTruth checks that the memory that a section reports to the
// memory budget is close to the memory that it uses, both after loading and
// after everything in it was read.
func TestCostsAreNearTheTruth(t *testing.T) {
	const copies = 15
	answers := map[string]string{configDump: "config_dump.json", clusters: "clusters.json"}
	for _, s := range []mesh.Section{mesh.Clusters, mesh.Listeners, mesh.Routes, mesh.Endpoints} {
		for _, how := range []string{"loaded", "looked into"} {
			var told atomic.Int64
			count := func(n int64) { told.Add(n) }
			kept := make([]any, copies)
			readers := make([]*Proxy, copies)
			for i := range readers {
				fetch := folder(t, "testdata/reviews-v2", answers)
				readers[i] = NewProxy(mesh.NewObject("Proxy", nil, object.New(0)), func(ctx context.Context, r Request) (*decode.Document, error) {
					doc, err := fetch(ctx, r)
					if err == nil {
						doc.Grew = count
					}
					return doc, err
				}, when)
				if _, err := readers[i].fetch(t.Context(), Request{What: configDump}); err != nil {
					t.Fatal(err)
				}
			}
			before := inUse()
			for i, p := range readers {
				var err error
				if kept[i], err = p.Section(t.Context(), s); err != nil {
					t.Fatal(err)
				}
				if how == "looked into" {
					lookInto(t, kept[i])
				}
			}
			took := inUse() - before
			runtime.KeepAlive(kept)
			runtime.KeepAlive(readers)
			what := fmt.Sprintf("%s, %s", s, how)
			t.Logf("%-24s told %7d bytes, takes %7d", what, told.Load()/copies, took/copies)
			// reporting too much is safe; for endpoints, the reported size
			// includes the maps from which they were created
			if told.Load() < took*2/3 || told.Load() > 5*took {
				t.Errorf("%s: told %d bytes, takes %d", what, told.Load()/copies, took/copies)
			}
		}
	}
}

// lookInto reads everything in a value, level by level, and keeps it in memory.
func lookInto(t *testing.T, v any) {
	t.Helper()
	v, err := mesh.Force(t.Context(), v)
	if err != nil {
		t.Fatal(err)
	}
	switch x := v.(type) {
	case []any:
		for _, w := range x {
			lookInto(t, w)
		}
	case *object.Object:
		for _, w := range x.All() {
			lookInto(t, w)
		}
	}
}
