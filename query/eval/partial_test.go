package eval

import (
	"context"
	"errors"
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// The queries of this test read elements that are loaded only in part. Which part is
// loaded is random: it may be the part that a query reads, or another one.

var looks = []string{
	".name", ".v", ".t", ".w", ".w.z", ".w.y", ".w.u.q", ".w.u", ".list", ".list[0]", ".list | length", ".list[].a?", ".none", ".none.z", ".kind", ".", ".v + 1", "[.name, .v]", "{name, z: .w.z?}", "{v, w}", "keys", "length", "type", "not", "tojson", "to_entries[0].key",
	`has("v")`, `has("none")`, "select(.w)", "select(.w.z == 1)", `select(.name == "a")`, `select(.t == null)`, "select(.none)", "select(.w.none)", "[.[]?]", "[..]", "[paths]", "del(.v)", "del(.w.z?)", ".v = 1", ".w.z? |= 5", ".w |= length?", ". == .", ".w == {z: 1}", "[.w, .w.z?]", ".w // 0", ".w.z? // .v", "with_entries(.value |= type)",
	".w | type", ".w | keys?", ".w | length", ".w | not", ".w | has(\"z\")?", "map_values(1)", ". as {$name, w: $x} | [$name, $x.z?]", ".v as $v | .w.z? as $z | [$v, $z]", "if .w then .w.y? else .t end", "try .w.z catch .", "(.w.u? | .q?)", "path(.w.z?)", "getpath([\"w\", \"z\"])?", "@text", "\"\\(.w)\"", "[.w[]?]", "first(.list[]?, .v)", ".w as $w | $w.z?, $w",
}

var overElements = []string{
	".x[] | %s", "[.x[] | %s]", ".x | map(%s)", "[.x[] | %s | %s]", ".x | sort_by(%s) | map(%s)", ".x | group_by(%s) | map(length)", "[.x[] | (%s), (%s)]", ".x[0] | %s | %s", ".x | unique_by(%s) | length", "any(.x[]; %s)", "all(.x[]; %s)", ".x | length", ".x | map(%s) | tojson",
	"reduce .x[] as $e ([]; . + [$e | %s])", "[.x[] | select(.name == \"a\") | %s]", "first(.x[] | %s)", "[.x[] as $e | $e | %s]", ".x[1:] | map(%s)", "[.x | to_entries[] | .value | %s]", "(.x[] | %s) as $q | $q", ".x[] |= (%s)", "[.x[] | [%s] | .[0]?]", "def f: %s; [.x[] | f]", "[path(.x[] | %s)]", ".x | INDEX(.name) | map_values(%s)", "min_by(%s)? // .x[0].name, (.x | min_by(.v) | %s)",
	".proxies[] | .x[] | %s", "[.proxies[] | {id, q: [.x[] | %s]}]", "[.proxies[].x[0] | %s]",
}

// inside returns an object with random members. As in Envoy's JSON, members that are null
// are omitted. The keys are sorted, because gojq sorts them.
func inside(r *rand.Rand, depth int) *object.Object {
	out := object.New(0)
	for _, k := range []string{"u", "y", "z"} {
		switch n := r.Intn(4); {
		case n == 0:
			out.Set(k, r.Intn(3))
		case n == 1 && depth > 0:
			out.Set(k, object.Of("q", r.Intn(2)))
		}
	}
	return out
}

func wholeElements(r *rand.Rand) (all []*object.Object) {
	for i := range r.Intn(6) {
		e := object.Of("kind", "Row")
		if r.Intn(2) == 0 {
			e.Set("list", []any{object.Of("a", i), i, nil}[:r.Intn(4)])
		}
		e.Set("name", []string{"a", "b", "c"}[r.Intn(3)])
		if r.Intn(2) == 0 {
			e.Set("t", []string{"EDS", "STATIC"}[r.Intn(2)])
		}
		if r.Intn(4) > 0 {
			e.Set("v", i)
		}
		if r.Intn(4) > 0 {
			e.Set("w", inside(r, 1))
		}
		all = append(all, e)
	}
	slices.SortStableFunc(all, func(a, b *object.Object) int { return strings.Compare(a.Get("name").(string), b.Get("name").(string)) })
	return all
}

// cut returns a copy of an object that contains only the requested members and, at
// random, some others.
func cut(r *rand.Rand, e *object.Object, asked mesh.Asked) *object.Object {
	out := object.New(0)
	for k, v := range e.All() {
		some, is := asked[k]
		switch m, isObject := v.(*object.Object); {
		case is && some != nil && isObject:
			out.Set(k, cut(r, m, some))
		case is || r.Intn(6) == 0:
			out.Set(k, v)
		}
	}
	return out
}

// excerptOf returns the elements of a section. Each element is loaded only in part.
func excerptOf(r *rand.Rand, owner *mesh.Object, all []*object.Object, loads *atomic.Int64) []any {
	paths := []string{"name"}
	for _, p := range []string{"v", "t", "w", "w.z", "w.y", "w.u", "w.u.q", "list", "none", "none.z"} {
		if r.Intn(3) == 0 {
			paths = append(paths, p)
		}
	}
	r.Shuffle(len(paths), func(i, j int) { paths[i], paths[j] = paths[j], paths[i] })
	x := &mesh.Excerpt{Kind: "Row", Owner: owner, Asked: mesh.AskedFor(paths)}
	for _, e := range all {
		x.Known = append(x.Known, cut(r, e, x.Asked))
	}
	// all elements, loaded completely and in another order, in which elements with equal
	// names keep their order
	var whole []any
	for _, name := range []string{"c", "a", "b"} {
		for _, e := range all {
			if e.Get("name") == name {
				whole = append(whole, mesh.NewObject("Row", owner, e.Clone()))
			}
		}
	}
	x.Whole = func(context.Context) ([]any, error) { loads.Add(1); return whole, nil }
	return x.Objects()
}

// partialDiffers runs a random query three times: on partly loaded elements, on
// completely loaded elements, and in gojq. It returns the query, and the first difference
// between the results.
func partialDiffers(seed int64, loads *atomic.Int64) (query, difference string) {
	r := rand.New(rand.NewSource(seed))
	shape := overElements[r.Intn(len(overElements))]
	look := make([]any, strings.Count(shape, "%s"))
	for i := range look {
		look[i] = looks[r.Intn(len(looks))]
	}
	query = fmt.Sprintf(shape, look...)
	var partial, whole, plain [2][]any // one value for the mesh, and one for a proxy
	for i := range 2 {
		all := wholeElements(r)
		for _, e := range all {
			plain[i], whole[i] = append(plain[i], e), append(whole[i], mesh.NewObject("Row", nil, e.Clone()))
		}
		partial[i] = excerptOf(r, nil, all, loads)
	}
	document := func(x [2][]any) any {
		for i := range x {
			if x[i] == nil {
				x[i] = []any{}
			}
		}
		proxy := object.Of("id", "p", "kind", "Proxy", "x", x[1])
		return object.Of("x", x[0], "proxies", []any{mesh.NewObject("Proxy", nil, proxy.Clone()), mesh.NewObject("Proxy", nil, proxy)})
	}
	p, err := syntax.Parse("", query)
	if err != nil {
		return query, err.Error()
	}
	code, err := Compile(p, Options{})
	if err != nil {
		return query, err.Error()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	outcome := func(x [2][]any, workers int) string { // an error message shows only the loaded parts of a value
		a := askWith(ctx, code, document(x), RunOptions{Workers: workers, Finish: finishDeep})
		return fmt.Sprintf("%s\n%v %q", strings.Join(a.out, "\n"), a.err != nil, a.faults)
	}
	want := outcome(whole, 1)
	for _, workers := range []int{1, 4} {
		if got := outcome(partial, workers); got != want && !strings.Contains(query, "catch") && !strings.Contains(query, "path(") {
			return query, fmt.Sprintf("%d workers: %s\nof whole elements: %s", workers, got, want)
		}
	}
	text := askGojqKinds(query, object.Of("x", orEmpty(plain[0]), "proxies", []any{object.Of("id", "p", "kind", "Proxy", "x", orEmpty(plain[1])), object.Of("id", "p", "kind", "Proxy", "x", orEmpty(plain[1]))}))
	ours := byUs(ctx, gojqCase{query: query, inputs: []any{document(partial)}}, asItIs)
	if text.kinds() != ours.kinds() && !slices.ContainsFunc(known, func(k struct {
		why string
		is  func(query string, gojqs, ours, lazy *results) bool
	}) bool {
		return k.is(query, text, ours, ours)
	}) {
		return query, fmt.Sprintf("gojq %s\nours %s", brief(text), brief(ours))
	}
	return query, ""
}

func orEmpty(x []any) []any {
	if x == nil {
		return []any{}
	}
	return x
}

func askGojqKinds(query string, in any) *results {
	return byGojq(context.Background(), gojqCase{query: query, inputs: []any{in}})
}

// TestPartials checks that results don't depend on which parts of an element are loaded,
// as long as the requested parts are among them.
func TestPartials(t *testing.T) {
	n := 2000
	if testing.Short() {
		n = 600
	}
	loads, without := &atomic.Int64{}, 0
	for seed := range n {
		before := loads.Load()
		if query, difference := partialDiffers(int64(seed), loads); difference != "" {
			t.Errorf("seed %d: %s\n%s", seed, query, difference)
		}
		if loads.Load() == before {
			without++
		}
	}
	t.Logf("%d queries, %d without a look at the rest, %d looks at it", n, without, loads.Load())
	if without < n/20 || loads.Load() < int64(n) {
		t.Error("all are of one sort")
	}
}

func FuzzPartials(f *testing.F) {
	for seed := range 8 {
		f.Add(int64(seed))
	}
	f.Fuzz(func(t *testing.T, seed int64) {
		if query, difference := partialDiffers(seed, &atomic.Int64{}); difference != "" {
			t.Errorf("%s\n%s", query, difference)
		}
	})
}

// TestInvariant14 checks that reading a loaded part of an element requests nothing, and
// that reading any other part requests the element.
func TestInvariant14(t *testing.T) {
	e := object.Of("kind", "Row", "name", "a", "v", 1, "w", object.Of("z", 2, "y", 3))
	for _, tc := range []struct {
		query string
		looks int64
	}{
		{`.x[] | .name, .kind, .t`, 0},
		{`.x | length`, 0},
		{`.x[] | type, not`, 0},
		{`[.x[] | select(.) | {name, z: .w.z}]`, 0},
		{`.x[] | select(.w.z == 2) | .w | type`, 0},
		{`.x[].u.q`, 0},
		{`.x | map(.name) | sort`, 0},
		{`.x | sort_by(.name) | group_by(.t) | length`, 0},
		{`.x[] as {$name, w: {$z}} | [$name, $z]`, 0},
		{`("na" + "me") as $k | .x[0] | .[$k], .["name"]`, 0},
		{`[path(.x[0].name)]`, 1}, // the path leads to the whole object, so the object must be loaded
		{`.x[].v`, 1},
		{`.x[].w.y`, 1},
		{`.x[].u | type`, 1},
		{`.x[] | select(.u)`, 1},
		{`.x[] | keys`, 1},
		{`.x[].w | length`, 1},
		{`.x[] | has("name")`, 1},
		{`.x[]`, 1},
		{`.x[] | del(.name)`, 1},
		{`.x[].w == {z: 2}`, 1},
	} {
		var looks int64
		x := &mesh.Excerpt{Kind: "Row", Asked: mesh.AskedFor([]string{"name", "w.z", "t", "u.q"}), Known: []*object.Object{object.Of("name", "a", "w", object.Of("z", 2))}}
		x.Whole = func(context.Context) ([]any, error) { looks++; return []any{e}, nil }
		got := ask(context.Background(), t, tc.query, object.Of("x", x.Objects()), 1)
		if want := askGojq(t, tc.query, object.Of("x", []any{e})); got.String() != want.String() || looks != tc.looks {
			t.Errorf("%s: %s with %d looks at the rest\nwant %s with %d", tc.query, got, looks, want, tc.looks)
		}
	}
}

// TestPartialsOfTwoMoments checks that a part of an element is never combined with a part
// of a newer version of the element. Instead, reading the proxy must fail.
func TestPartialsOfTwoMoments(t *testing.T) {
	for _, c := range []struct{ query, version, want string }{
		{`[.proxies[].x[] | .name]`, "2", `["a","b"] []`},
		{`[.proxies[].x[] | .v]`, "1", `[1,2] []`},
		{`[.proxies[].x[] | .v]`, "2", `[] ["p: clusters: a has changed since it was first asked about"]`},
		{`[.proxies[].x[] | select(.name == "b") | .v]`, "2", `[] ["p: clusters: b has changed since it was first asked about"]`},
		{`[.proxies[].x[] | select(.name == "b") | .none]`, "1", `[null] []`},
		{`[.proxies[].x[] | select(.name == "b") | .v]`, "another", `[] ["p: clusters: b has changed since it was first asked about"]`},
		{`[.proxies[].x[] | (.name, .v)]`, "gone", `["a"] ["p: clusters: a has changed since it was first asked about"]`},
	} {
		proxy := mesh.NewObject("Proxy", nil, object.Of("id", "p"))
		x := &mesh.Excerpt{Proxy: "p", Section: mesh.Clusters, Kind: "Cluster", Owner: proxy, Asked: mesh.AskedFor([]string{"name", "versionInfo"}), Known: []*object.Object{object.Of("name", "a", "versionInfo", "1"), object.Of("name", "b", "versionInfo", "1")}}
		x.Whole = func(context.Context) ([]any, error) {
			b := object.Of("name", "b", "v", 2, "versionInfo", "1")
			switch c.version {
			case "gone":
				return []any{b}, nil
			case "another":
				return []any{b, object.Of("name", "c", "v", 1, "versionInfo", "1")}, nil
			}
			return []any{b, object.Of("name", "a", "v", 1, "versionInfo", c.version)}, nil
		}
		proxy = mesh.NewObject("Proxy", nil, object.Of("id", "p", "x", x.Objects()))
		a := ask(context.Background(), t, c.query, object.Of("proxies", []any{proxy}), 4)
		if got := fmt.Sprintf("%s %q", strings.Join(a.out, " "), a.faults); got != c.want {
			t.Errorf("%s: %s, want %s", c.query, got, c.want)
		}
	}
	x := &mesh.Excerpt{Asked: mesh.AskedFor([]string{"name"}), Known: []*object.Object{object.Of("name", "a")}, Whole: func(context.Context) ([]any, error) { return nil, nil }}
	_, err := mesh.Deep(context.Background(), x.Objects()[0])
	if changed := (*mesh.ChangedError)(nil); !errors.As(err, &changed) || changed.Name != "a" {
		t.Errorf("got %v", err)
	}
}
