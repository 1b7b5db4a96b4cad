package envoy

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// TestOneElementKept checks that an element of a section doesn't keep the other
// elements in memory, because a query over many proxies may keep a few elements
// of each.
func TestOneElementKept(t *testing.T) {
	const elements, size = 40, 1 << 20
	for s, c := range map[mesh.Section]struct{ part, element string }{
		mesh.Clusters: {
			`"@type":"type.googleapis.com/envoy.admin.v3.ClustersConfigDump","dynamic_active_clusters"`,
			`{"cluster":{"@type":"type.googleapis.com/envoy.config.cluster.v3.Cluster","name":"c%d","alt_stat_name":"%s"}}`,
		},
		mesh.Endpoints: {
			`"@type":"type.googleapis.com/envoy.admin.v3.EndpointsConfigDump","dynamic_endpoint_configs"`,
			`{"endpoint_config":{"@type":"type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
				"cluster_name":"c%d","endpoints":[{"lb_endpoints":[{"endpoint":{"hostname":"%s"}}]}]}}`,
		},
	} {
		var all []string
		for i := range elements {
			all = append(all, fmt.Sprintf(c.element, i, strings.Repeat("x", size)))
		}
		doc := body("config_dump.json", []byte(`{"configs":[{`+c.part+`:[`+strings.Join(all, ",")+`]}]}`))
		all = nil
		fetch := func(context.Context, Request) (*decode.Document, error) { return doc, nil }
		before := inUse()
		v, err := NewNarrow(mesh.NewObject("Proxy", nil, object.New(0)), fetch, when, mesh.Hint{}).Section(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(v.([]any)); n != elements {
			t.Fatalf("%s: %d elements", s, n)
		}
		one := v.([]any)[elements/2]
		v = nil
		if kept := inUse() - before; kept > elements*size/4 {
			t.Errorf("%s: one of %d elements of %d bytes keeps %d bytes", s, elements, size, kept)
		}
		if m, err := mesh.Force(t.Context(), one); err != nil || m.(*object.Object).Len() < 3 {
			t.Error(m, err)
		}
		runtime.KeepAlive(doc)
	}
}

func inUse() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
