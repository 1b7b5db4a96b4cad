package eval

import (
	"context"
	"encoding/json"
	"math/rand"
	"strings"
	"testing"
	"time"

	"github.com/itchyny/gojq"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// sharing returns a value in which equal arrays and objects are the same Go value, as
// they are in a document with many proxies.
func sharing(v any) any { return shared(v, object.New(0)) }

func shared(v any, seen *object.Object) any {
	switch x := v.(type) {
	case []any:
		y := make([]any, len(x))
		for i := range x {
			y[i] = shared(x[i], seen)
		}
		v = y
	case *object.Object:
		y := object.New(x.Len())
		for k := range x.All() {
			y.Set(k, shared(x.Get(k), seen))
		}
		v = y
	default:
		return v
	}
	text, err := json.Marshal(v)
	if err != nil { // the value contains a number that JSON can't represent
		return v
	}
	if _, there := seen.Lookup(string(text)); !there {
		seen.Set(string(text), v)
	}
	return seen.Get(string(text))
}

// twice returns a value that contains v several times.
func twice(v any) any {
	return object.Of("a", v, "b", []any{v, v, object.Of("a", v)}, "c", object.Of("a", v, "b", []any{v}))
}

// TestTwins runs queries on values whose equal parts are the same Go value, and on copies
// without such parts. An update of one part must not change another, and a path must lead
// to the same part. One difference is allowed: a computed value may have a path if it is
// the same Go value as a part of the input.
func TestTwins(t *testing.T) {
	pieces, inputs := corpus(t)
	r := rand.New(rand.NewSource(5))
	n, compared, paths := 1500, 0, 0
	if testing.Short() {
		n = 500
	}
	for range n {
		query, in := combined(r, pieces), inputs[r.Intn(len(inputs))]
		if r.Intn(2) == 0 {
			query, in = strings.Join([]string{".b[0] |= (", query, ")"}, ""), twice(in)
		}
		if _, err := gojq.Parse(query); err != nil {
			continue
		}
		one := sharing(in)
		before, err := gojq.Marshal(object.ToPlain(one))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
		want := byUs(ctx, gojqCase{query: query, inputs: []any{in}}, asItIs)
		got := byUs(ctx, gojqCase{query: query, inputs: []any{one}}, asItIs)
		late := ctx.Err() != nil
		cancel()
		if after, err := gojq.Marshal(object.ToPlain(one)); err != nil || string(after) != string(before) {
			t.Fatalf("%s changed its input:\n%s\n%s", query, before, after)
		}
		if late || len(want.lines) >= mostResults {
			continue
		}
		compared++
		if got.String() == want.String() {
			continue
		}
		if strings.Contains(want.String(), "invalid path") {
			paths++
			continue
		}
		t.Errorf("%s\n input %s\n apart  %s\n shared %s", query, before, brief(want), brief(got))
	}
	t.Logf("%d queries, %d compared, %d with a path that was none", n, compared, paths)
	if compared < n/2 || paths > compared/100 {
		t.Error("too few were compared, or too many paths were none")
	}
}

// TestTwinsAreChangedApart checks that equal parts of a document that are the same Go
// value are updated independently.
func TestTwinsAreChangedApart(t *testing.T) {
	in := sharing(twice(object.Of("x", []any{1, 2, object.Of("y", nil)})))
	for query, want := range map[string]string{
		`.a.x[0] = 9 | [.a.x[0], .b[0].x[0], .c.a.x[0]]`:          `[9,1,1]`,
		`del(.b[0].x) | [(.a, .b[0], .b[1]) | length]`:            `[1,0,1]`,
		`[paths(type == "number")] | length`:                      `12`,
		`path(.b[1].x[2].y)`:                                      `["b",1,"x",2,"y"]`,
		`[path(.b[].x?)]`:                                         `[["b",0,"x"],["b",1,"x"],["b",2,"x"]]`,
		`.b |= map(.x? += [3]) | [.a.x, .b[].x | length]`:         `[3,4,4,1]`,
		`walk(if type == "array" then reverse else . end) | .a.x`: `[{"y":null},2,1]`,
		`.a == .b[0] and .a == .c.b[0]`:                           `true`,
	} {
		if got := byUs(t.Context(), gojqCase{query: query, inputs: []any{in}}, asItIs).String(); got != want {
			t.Errorf("%s gives %s, want %s", query, got, want)
		}
	}
}
