package library_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// section is a section for tests whose elements can be requested by name.
type section struct {
	all    []any
	log    *[]string
	proxy  string
	forced bool
}

func (s *section) Sectional()          {}
func (s *section) Pending() bool       { return true }
func (s *section) Forced() (any, bool) { return nil, false }
func (s *section) Force(context.Context) (any, error) {
	if !s.forced {
		*s.log = append(*s.log, s.proxy+": all")
	}
	s.forced = true
	return s.all, nil
}

func (s *section) Narrow(_ context.Context, h mesh.Hint) ([]any, bool, error) {
	if h.By != "name" {
		return nil, false, nil
	}
	*s.log = append(*s.log, s.proxy+": "+strings.Join(append(h.Names, h.Patterns...), ","))
	var out []any
	for _, e := range s.all {
		if name, _ := mesh.Get(context.Background(), e, "name"); slices.Contains(h.Names, name.(string)) {
			out = append(out, e)
		}
	}
	return out, true, nil
}

// TestLookupsAskByName checks that lookup functions request only the elements with the
// name that they search for.
func TestLookupsAskByName(t *testing.T) {
	for _, c := range []struct{ query, want, asked string }{
		{`.proxy("a").cluster("x").name`, `"x"`, "a.s: x"},
		{`.proxy("a").listener("y").name`, `"y"`, "a.s: y"},
		{`.proxy("a").secret("x").name, (.proxy("a") | secret("x", "y") | .name)`, "\"x\"\n\"x\"\n\"y\"", "a.s: x, a.s: x, a.s: y"},
		{`.proxy("a") | extension("x").name`, `"x"`, "a.s: x"},
		{`.proxy("a").clusters.cluster("x").name`, `"x"`, "a.s: x"},
		{`[.cluster("x").name]`, `["x","x"]`, "a.s: x, b.s: x"},
		{`[.proxies | cluster("x").name]`, `["x","x"]`, "a.s: x, b.s: x"},
		{`[[.proxies[0], {name: "x"}, .proxies[1], 5, {name: "z"}] | cluster("x").name]`, `["x","x","x"]`, "a.s: x, b.s: x"},
		{`[.proxies[] | select(.name == "b") | cluster("x", "none").name]`, `["x"]`, "b.s: x, b.s: none"},
		{`[.proxies[] | .clusters[] | select(.name | startswith("x")) | .name]`, `[]`, "a.s: (?s)x.*, b.s: (?s)x.*"},
		{`[.proxies[0].clusters | virtualHost("x")] | length`, "1", "a.s: all"},
		{`[.proxies[0] | endpoint("x")] | length`, "0", "a.s: all"},
		{`.proxy("a").listener("x").match("/p").unsupported`, `["route configuration r"]`, "a.s: x, a.s: r"},
	} {
		var log []string
		var all []any
		for _, name := range []string{"a", "b"} {
			fields := object.Of("id", name+".s", "name", name)
			o := mesh.NewObject("Proxy", nil, fields)
			for _, s := range []string{"clusters", "listeners", "routes", "secrets", "extensions", "endpoints"} {
				var elements []any
				for _, name := range []string{"w", "x", "y"} {
					e := object.Of("name", name)
					if s == "listeners" {
						e.Set("filterChains", []any{object.Of("filters", []any{object.Of("typedConfig", object.Of("httpFilters", []any{}, "rds", object.Of("routeConfigName", "r")))})})
					}
					elements = append(elements, mesh.NewObject(strings.ToUpper(s[:1])+s[1:len(s)-1], o, e))
				}
				fields.Set(s, &section{all: elements, log: &log, proxy: name + ".s"})
			}
			all = append(all, o)
		}
		check(t, mesh.NewObject("Mesh", nil, object.Of("proxies", all)), []expectation{{c.query, c.want}})
		slices.Sort(log)
		asked := slices.Sorted(slices.Values(strings.Split(c.asked, ", ")))
		if fmt.Sprint(log) != fmt.Sprint(asked) {
			t.Errorf("%s: asked %q, want %q", c.query, log, asked)
		}
	}
}
