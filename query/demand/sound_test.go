package demand_test

import (
	"context"
	"fmt"
	"math/rand"
	"strings"
	"testing"
	"time"

	"github.com/itchyny/gojq"

	"github.com/meshq/kubectl-meshq/query"
	"github.com/meshq/kubectl-meshq/query/demand"
	"github.com/meshq/kubectl-meshq/query/eval"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// The test generates random queries from these lists.
var (
	steps = []string{
		".", ".a", ".b", ".n", ".a.b", ".[]", ".[]?", ".[0]", ".[-1]", ".[1:]", ".a[0].n", ".a[].b?", `.["b"]`, ".[.n]?", "length", "keys", `has("a")`, "type", "not",
		"map(.n)", "map(.a.n?)", "select(.n == 1)", "select(.a)", `select(.n | test("x"))`, "first", "last", "add", "reverse", "to_entries", "to_entries[0].value", "arrays", "objects", "scalars", "values", "any", "all",
		"sort", "unique", "min", "max", "flatten", "tojson", "paths", "..", "[..]", "from_entries", "tostring", "isempty(.[])", "input_filename", "1", `"x"`, "{}", "[]", "null", "empty", `error("e")`, "error", "@json", `"\(.n) \(.a)"`,
		"getpath([\"a\", \"n\"])", `join(",")`, "$__loc__.line", "ascii_downcase", "tonumber", "values", "transpose", "todate", "keys_unsorted", "tostream", "min_by(.n)", "unique_by(.n)", "combinations", "abs", "toarray", "implode", "explode",
	}
	joints = []string{
		"%s | %s", "%s | %s", "%s | %s", "%s, %s", "[%s] | %s", "{a: (%s), b: (%s)}", "{n: (%s)} | %s", "{a, n: (%s)} | %s", "map(%s) | %s", "(%s) // (%s)", "(%s) as $v | $v, (%s)", "(%s) as $v | (%s) | [., $v]", "(%s) as {a: $v, n: $w} | (%s) | [$v, $w]", "(%s) as [$v, $w] | [$w, (%s)]",
		"(%s) as {a: $v} ?// [$v] | $v | (%s)", "if %s then %s else . end", `if type == "array" then %s else %s end`, `if type == "object" and .a then %s else %s end`, "reduce (%s) as $i (0; . + 1) | (%s)", "reduce (%s) as {n: $i} ([]; . + [$i]) | (%s)", "foreach (%s) as $i (null; $i; %s)",
		"[limit(2; %s)] | %s", "first(%s) | %s", "try (%s) catch (%s)", "(%s)? | %s", "def f: %s; f | %s", "def f(g): g | g?; f(%s) | %s", "def f($k): $k | %s; f(%s)", "def f: if .a? then .a | f else (%s) end; f | %s", "[.[]? | %s] | group_by(%s)", "[.[]? | %s] | sort_by(%s) | .[0]?", "[.[]?] | unique_by(%s) | map(%s)",
		"any(%s; %s)", "all(.[]?; %s), (%s)", "(%s) == (%s)", "(%s) + (%s)", "(%s) < (%s)", "(%s) and (%s)", "(%s) or (%s)", "del(%s) | (%s)", "[path(%s)] | (%s)", "(%s) |= (%s)", "(%s) = (%s) | .a", "(%s) += (%s) | .n", "with_entries(%s)? | (%s)", "map_values(%s)? | (%s)", "add(%s) | (%s)", "INDEX(.[]?; %s) | (%s)", "pick(%s)? | (%s)", "isempty(%s), (%s)",
		"[skip(1; %s)] | (%s)", "recurse(%s; . != null) | (%s)", "label $out | (%s) | ., (%s), break $out", "[while(length > 1; %s)] | %s", "walk(%s)? | %s", `"a" as $k | .[$k] | %s, (%s)`, "(%s) as $v | def f: $v; [f | %s]", "IN(%s; %s)", "min_by(%s), max_by(%s)", "error(%s)? // (%s)", "[.[]?] | map({a: %s, n: .n?}) | (%s)", "nth(1; %s) | (%s)", "(%s) * (%s)", "(%s) - (%s)",
	}
)

func composed(r *rand.Rand, depth int) string {
	if depth == 0 {
		return steps[r.Intn(len(steps))]
	}
	part := func() string { return composed(r, r.Intn(depth)) }
	return fmt.Sprintf(joints[r.Intn(len(joints))], part(), part())
}

func value(r *rand.Rand, depth int) any {
	kind := r.Intn(8)
	if depth == 0 {
		kind = r.Intn(4)
	}
	switch {
	case kind == 0:
		return r.Intn(3)
	case kind == 1:
		return []string{"x", "y", "ax"}[r.Intn(3)]
	case kind == 2:
		return []any{nil, true, false}[r.Intn(3)]
	case kind == 3:
		return 1
	case kind < 6:
		out := []any{}
		for range r.Intn(4) {
			out = append(out, value(r, depth-1))
		}
		return out
	}
	out := object.New(0)
	for _, k := range []string{"a", "b", "n", "name", "value"} {
		if r.Intn(3) > 0 {
			out.Set(k, value(r, depth-1))
		}
	}
	return out
}

// unseen replaces the values that a query doesn't read according to the analysis.
const unseen = "nobody is to look here"

// pruned returns a copy of a value in which every part that the tree doesn't include is
// replaced by unseen.
func pruned(v any, t *demand.Tree) any {
	switch {
	case t == nil:
		return unseen
	case t.All:
		return v
	}
	switch v := v.(type) {
	case []any:
		out := []any{}
		for _, w := range v {
			if t.Count || t.Items != nil {
				out = append(out, pruned(w, t.Items))
			}
		}
		return out
	case *object.Object:
		out := object.New(0)
		for _, k := range v.Sorted() {
			if f := t.Field(k); f != nil || t.Count {
				out.Set(k, pruned(v.Get(k), f))
			}
		}
		return out
	}
	return v
}

// answers returns the results of a query. ok is true if the query ended without an error.
func answers(t *testing.T, src string, in any) (string, bool) {
	p, err := query.Compile(src, query.Options{})
	if err != nil {
		return "does not compile", true
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	var out []string
	err = p.Run(ctx, in, nil, eval.RunOptions{Workers: 1, Memory: 16 << 20}, func(v any) error {
		text, err := gojq.Marshal(object.ToPlain(v))
		if out = append(out, string(text)); len(out) > 200 {
			return context.Canceled
		}
		return err
	})
	if ctx.Err() != nil {
		return "", false
	}
	if err != nil {
		out = append(out, "error")
	}
	return strings.Join(out, "\n"), true
}

// TestNothingElseIsLookedAt checks that a query has the same results if its input
// contains only the parts that the query reads according to the analysis. (In a real run,
// a missing part would only cost one more request, but no part should be missing.)
func TestNothingElseIsLookedAt(t *testing.T) {
	n, narrow, wrong := 1500, 0, 0
	if testing.Short() {
		n = 400
	}
	for seed := range n {
		r := rand.New(rand.NewSource(int64(seed)))
		src, in := composed(r, 1+r.Intn(3)), value(r, 4)
		tree := query.Demand(src, nil)
		if tree != nil && tree.All {
			continue
		}
		want, ok := answers(t, src, in)
		// An error message may contain a part of a value that the query doesn't read.
		if !ok || strings.Contains(src, "try") || strings.Contains(want, "cannot") || strings.Contains(want, "expected") {
			continue
		}
		narrow++
		part := pruned(in, tree)
		if got, _ := answers(t, src, part); got != want {
			if wrong++; wrong < 20 {
				a, _ := gojq.Marshal(object.ToPlain(in))
				b, _ := gojq.Marshal(object.ToPlain(part))
				t.Errorf("seed %d: %s looks at %s\nof %s\nthat is %s\ngave %s\nwant %s", seed, src, tree, a, b, got, want)
			}
		}
	}
	t.Logf("%d of %d look at a part only, %d of these at more than their tree", narrow, n, wrong)
	if narrow < n/5 {
		t.Error("too few look at a part only")
	}
}
