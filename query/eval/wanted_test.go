package eval

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// narrow is a lazy array that can load only the elements in which a field has one of the
// requested values.
type narrow struct {
	by     string
	all    []any
	asked  []string
	forced bool
	refuse bool
	fault  error
	others func() bool // reports whether the array returns an element although it was not requested
}

func (n *narrow) Pending() bool                      { return true }
func (n *narrow) Forced() (any, bool)                { return nil, false }
func (n *narrow) Force(context.Context) (any, error) { n.forced = true; return n.all, n.fault }

func (n *narrow) Narrow(_ context.Context, h mesh.Hint) ([]any, bool, error) {
	if n.refuse || h.By != n.by {
		return nil, false, nil
	}
	n.asked = append(n.asked, strings.Join(slices.Concat(h.Names, h.Patterns), ","))
	out := []any{}
	for _, e := range n.all {
		if meant(e.(*object.Object).Get(h.By), h) || n.others() {
			out = append(out, e)
		}
	}
	return out, true, n.fault
}

// meant reports whether a hint requests the element with this name, according to the
// documentation of mesh.Hint.
func meant(name any, h mesh.Hint) bool {
	s, ok := name.(string)
	if !ok {
		return len(h.Patterns) > 0
	}
	return slices.Contains(h.Names, s) || slices.ContainsFunc(h.Patterns, func(p string) bool { return regexp.MustCompile("^(?:" + p + ")$").MatchString(s) })
}

func TestWanted(t *testing.T) {
	var all []any
	for _, n := range []string{"a", "b", "c", "d", "b"} {
		all = append(all, object.Of("name", n, "v", len(all)))
	}
	const anyB = `(?s).*(?:b).*`
	for _, tc := range []struct {
		query string
		asked string // log of the requested names; "" means that the whole array was requested
	}{
		{`.x[] | select(.name == "b") | .v`, "b"},
		{`.x[] | select("b" == .name) | .v`, "b"},
		{`.x[] | select(.name == ("c", "b")) | .v`, "c,b"},
		{`.x[] | select(.name == "c" or .name == "b") | .v`, "c,b"},
		{`.x[] | select((.name == "c") or ("b" == .name)) | .v`, "c,b"},
		{`.x[] | select(.name == "b" and .v > 2) | .v`, "b"},
		{`.x[] | select(.name == "b" and .v.w)`, "b"},
		{`.x[] | select(type == "object" and .name == "b")`, "b"},
		{`.x[] | select(.name | . == "b" or . == "c")`, "b,c"},
		{`.x[] | select(.name | IN("c", "b"))`, "c,b"},
		{`.x[] | select(.name != "b" | not)`, "b"},
		{`.x[] | select((.name != "b" or .v.w) | not)`, "b"},
		{`.x[] | select((.name != "b" and .name != "c") | not)`, "b,c"},
		{`.x | map(select(.name == "b"))`, "b"},
		{`.x.map(select(.name == "b"))`, "b"},
		{`[.x[]? | select(.name == "b")]`, "b"},
		{`[.x[].name | select(. == "b")]`, "b"},
		{`[.x[] | .name | select(startswith("b"))]`, `(?s)b.*`},
		{`[.x[] | select(.name | test("b"))]`, anyB},
		{`[.x[] | select(.name.test("b"))]`, anyB},
		{`[.x[] | select(.name | test("B"; "i"))]`, `(?s).*(?:(?i)B).*`},
		{`[.x[] | select(.name | endswith("b"))]`, `(?s).*b`},
		{`[.x[] | select(.name | contains("b"))]`, `(?s).*b.*`},
		{`[.x[] | select(.name == "a" or (.name | test("b")))]`, `a,` + anyB},
		{`any(.x[] | select(.name == "b"); .v == 4)`, "b"},
		{`any(.x[]; .name == "b")`, "b"},
		{`any(.x[]; .name == "b" and .v.w)`, "b"},
		{`.x | any(.name == "b")`, "b"},
		{`any(.x[].name; . == "b")`, "b"},
		{`all(.x[]; .name != "b")`, "b"},
		{`.x | all(.name | test("b") | not)`, anyB},
		{`. as $d | ("b", "c") as $n | $d.x[] | select(.name == $n) | .v`, "b c"},
		{`["b", "c"] as $n | .x[] | select(.name | IN($n[])) | .v`, "b,c"},
		{`{a: {b: "c"}} as $n | .x[] | select(.name == $n.a.b) | .v`, "c"},
		{`def f($n): .x[] | select(.name == $n); f("d").v`, "d"},
		{`def f(n): .x[] | select(.name == n); f("d").v`, "d"},
		{`def f($n): select(.name == $n); .x[] | f("d") | .v`, "d"},
		{`def f(n): def g: .name == n; select(.name == n) | select(g); def h(n): f(n); .x[] | h("d")`, "d"},
		{`first(.x[] | select(.name == "b")).v`, "b"},
		{`1 as $n | .x[] | select(.name == $n)`, ""},
		{`["b", 1] as $n | .x[] | select(.name | IN($n[]))`, ""},
		{`"b" as $n | .x[] | select(.name == $n.a)`, ""},
		{`.x[] | select(.v == 1) | .name`, ""},
		{`.x[] | select(.v > 1 and .name == "b") | .v`, ""},
		{`.x[] | select(.v.w and .name == "b") | .v`, ""},
		{`.x[] | select(.name == "b" or .v == 2) | .v`, ""},
		{`.x[] | select(.name == "b" or .v == "b") | .v`, ""},
		{`.x[] | select(.name != "b") | .v`, ""},
		{`.x[] | select(.name == "b" | not) | .v`, ""},
		{`.x[] | select((.name != "b" or .v.w)) | .v`, ""},
		{`.x[] | select((.v.w or .name != "b") | not)`, ""},
		{`.x[] | select(.name | test("b") | not) | .v`, ""},
		{`.x[] | select(.name | test("["))`, ""},
		{`.x[] | select(.name | test("b"; "y"))`, ""},
		{`.x[] | select(.name | test(1))`, ""},
		{`.x[] | select(.name | test("a", "b"))`, ""},
		{`.x[] | select(.name | . as $n | $n == "b")`, ""},
		{`.x[] | select(.name == error("x"))`, ""},
		{`all(.x[]; .name == "b")`, ""},
		{`any(.x[]; .name != "b")`, ""},
		{`def select(f): 1; .x[] | select(.name == "b")`, ""},
		{`def test(f): true; .x[] | select(.name | test("b")) | .v`, ""},
		{`def not: true; .x[] | select(.name != "b" | not) | .v`, ""},
		{`def f($n): select(.name == $n); .x[] | f("a", "d") | .v`, ""},
		{`[path(.x[] | select(.name == "b"))]`, ""},
		{`.x[] |= select(.name == "b") | .x | length`, ""},
		{`.x[] | .name`, ""},
	} {
		for _, refuse := range []bool{false, true} {
			i := 0
			x := &narrow{by: "name", all: all, refuse: refuse, others: func() bool { i++; return i%3 == 0 }}
			got := ask(context.Background(), t, tc.query, object.Of("x", x), 1)
			want := askGojq(t, strings.NewReplacer(".x.map(", ".x | map(", ".name.test(", ".name | test(").Replace(tc.query), object.Of("x", all))
			if got.kinds() != want.kinds() {
				t.Errorf("%s: %s\nwant %s", tc.query, got, want)
			}
			if s := strings.Join(x.asked, " "); !refuse && (s != tc.asked || x.forced != (tc.asked == "")) {
				t.Errorf("%s: asked for %q, want %q; loaded whole: %v", tc.query, s, tc.asked, x.forced)
			}
		}
	}
}

func TestWantedFault(t *testing.T) {
	fault := &mesh.Fault{Proxy: "p", Section: "x", Err: errors.New("refused")}
	a := ask(context.Background(), t, `.x[] | select(.name == "b")`, object.Of("x", &narrow{by: "name", fault: fault}), 1)
	if !errors.Is(a.err, fault) || len(a.faults) != 1 {
		t.Errorf("got %v, told %v", a.err, a.faults)
	}
}
