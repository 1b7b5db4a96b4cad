package eval

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// narrow is an array that can be asked for elements by name.
type narrow struct {
	all    []any
	asked  [][]string
	forced bool
	refuse bool
	fault  error
}

func (n *narrow) Pending() bool                      { return true }
func (n *narrow) Forced() (any, bool)                { return nil, false }
func (n *narrow) Force(context.Context) (any, error) { n.forced = true; return n.all, n.fault }

func (n *narrow) Narrow(_ context.Context, h mesh.Hint) ([]any, bool, error) {
	if n.refuse {
		return nil, false, nil
	}
	n.asked = append(n.asked, h.Names)
	var out []any
	for i, e := range n.all {
		if i%3 == 0 || slices.Contains(h.Names, e.(map[string]any)["name"].(string)) { // more than was asked for
			out = append(out, e)
		}
	}
	return out, true, n.fault
}

func TestWantedNames(t *testing.T) {
	var all []any
	for _, n := range []string{"a", "b", "c", "d", "b"} {
		all = append(all, map[string]any{"name": n, "v": len(all)})
	}
	for _, tc := range []struct {
		query string
		asked string // the names, of each time it was asked; empty when it is loaded whole
	}{
		{`.x[] | select(.name == "b") | .v`, "b"},
		{`.x[] | select("b" == .name) | .v`, "b"},
		{`.x[] | select(.name == "c" or .name == "b") | .v`, "c,b"},
		{`.x[] | select((.name == "c") or ("b" == .name)) | .v`, "c,b"},
		{`.x[] | select(.name == "b" and .v > 2) | .v`, "b"},
		{`.x[] | select(.name == "b" and .v.w)`, "b"},
		{`.x | map(select(.name == "b"))`, "b"},
		{`[.x[]? | select(.name == "b")]`, "b"},
		{`any(.x[] | select(.name == "b"); .v == 4)`, "b"},
		{`. as $d | ("b", "c") as $n | $d.x[] | select(.name == $n) | .v`, "b c"},
		{`def f($n): .x[] | select(.name == $n); f("d").v`, "d"},
		{`first(.x[] | select(.name == "b")).v`, "b"},
		{`1 as $n | .x[] | select(.name == $n)`, ""},
		{`.x[] | select(.v == 1) | .name`, ""},
		{`.x[] | select(.v > 1 and .name == "b") | .v`, ""},
		{`.x[] | select(.v.w and .name == "b") | .v`, ""},
		{`.x[] | select(.name == "b" or .v == 2) | .v`, ""},
		{`.x[] | select(.name != "b") | .v`, ""},
		{`.x[] | select(.name == "b" | not) | .v`, ""},
		{`.x[] | select(.name == error("x"))`, ""},
		{`def select(f): 1; .x[] | select(.name == "b")`, ""},
		{`[path(.x[] | select(.name == "b"))]`, ""},
		{`.x[] |= select(.name == "b") | .x | length`, ""},
		{`.x[] | .name`, ""},
	} {
		for _, refuse := range []bool{false, true} {
			x := &narrow{all: all, refuse: refuse}
			got := ask(context.Background(), t, tc.query, map[string]any{"x": x}, 1)
			want := askGojq(t, tc.query, map[string]any{"x": all})
			if got.String() != want.String() {
				t.Errorf("%s: %s\nwant %s", tc.query, got, want)
			}
			var asked []string
			for _, names := range x.asked {
				asked = append(asked, strings.Join(names, ","))
			}
			if s := strings.Join(asked, " "); !refuse && (s != tc.asked || x.forced != (tc.asked == "")) {
				t.Errorf("%s: asked for %q, want %q; loaded whole: %v", tc.query, s, tc.asked, x.forced)
			}
		}
	}
	fault := &mesh.Fault{Proxy: "p", Section: "x", Err: errors.New("refused")}
	a := ask(context.Background(), t, `.x[] | select(.name == "b")`, map[string]any{"x": &narrow{fault: fault}}, 1)
	if !errors.Is(a.err, fault) || len(a.faults) != 1 {
		t.Errorf("got %v, told %v", a.err, a.faults)
	}
}
