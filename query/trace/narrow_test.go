package trace_test

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// section is a section that can be filtered by one field. It logs which elements
// were requested.
type section struct {
	all  []any
	log  *[]string
	name string
	by   string // name of the field by which the section can be filtered
}

func (s *section) Sectional()          {}
func (s *section) Pending() bool       { return true }
func (s *section) Forced() (any, bool) { return nil, false }
func (s *section) Force(context.Context) (any, error) {
	*s.log = append(*s.log, s.name+": all")
	return s.all, nil
}

func (s *section) Narrow(ctx context.Context, h mesh.Hint) ([]any, bool, error) {
	if h.By != s.by {
		return nil, false, nil
	}
	*s.log = append(*s.log, s.name+" "+strings.Join(append(h.Names, h.Patterns...), ","))
	var out []any
	for _, e := range s.all {
		name, _ := mesh.Get(ctx, e, s.by)
		fits := slices.Contains(h.Names, name.(string))
		for _, p := range h.Patterns {
			fits = fits || regexp.MustCompile(`^(?:`+p+`)$`).MatchString(name.(string))
		}
		if fits {
			out = append(out, e)
		}
	}
	return out, true, nil
}

// TestTraceLoadsOnlyItsWay checks that a trace loads only the listeners of the
// request's port, the route configuration, the cluster, and the endpoints of that
// cluster.
func TestTraceLoadsOnlyItsWay(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{`.proxy("web").trace("http://cart/cart").reason`, `clusters outbound|80||cart.shop.svc.cluster.local; endpoints both; listeners virtualOutbound,(?s).*_80; routes 80`},
		{`.proxy("web").trace("http://cart/split/").reason`, `clusters outbound|80||cart.shop.svc.cluster.local,gone; endpoints both; listeners virtualOutbound,(?s).*_80; routes 80`},
		{`.proxy("web").trace("http://cart/moved").status`, `listeners virtualOutbound,(?s).*_80; routes 80`},
		{`.proxy("web").trace("tcp://raw:80").reason`, `clusters outbound|80||raw.shop.svc.cluster.local; endpoints both; listeners virtualOutbound,(?s).*_80`},
		{`.proxy("web").trace("tcp://10.9.9.9:99").reason`, `clusters PassthroughCluster; listeners virtualOutbound,(?s).*_99`},
	} {
		in := shop(t)
		var log []string
		all, _ := mesh.Get(t.Context(), in, "proxies")
		fields, err := all.([]any)[0].(*mesh.Object).Fields(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for name, key := range map[string]string{"listeners": "name", "routes": "name", "clusters": "name", "endpoints": "cluster", "secrets": "name", "server": ""} {
			elements, _ := fields.Get(name).([]any)
			fields.Set(name, &section{elements, &log, name, key})
		}
		if got := traced(t, in, c.src); strings.HasPrefix(got, "error") {
			t.Error(got)
		}
		slices.Sort(log)
		if got := strings.Join(log, "; "); got != c.want {
			t.Errorf("%s: asked for %s, want %s", c.src, got, c.want)
		}
	}
}
