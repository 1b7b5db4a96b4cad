package eval

import (
	"context"
	"fmt"
	"math/rand"
	"runtime"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/values"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// steps are updates of a state, as in reduce. The state (.) is an object of objects and
// arrays. $i is a number that grows with each step.
var steps = []string{
	`.o["k\($i % 23)"] = $i`, `.a[$i % 37] = $i`, `.a += [$i]`, `.o += {"k\($i)": [$i]}`, `.n += 1`, `.a |= (. + [$i])`, `del(.o["k\($i % 19)"])`, `del(.a[-1])`, `del(.a[0])`, `del(.a[2:4])`,
	`.a = .a[1:]`, `.a = .a[:-1]`, `.o |= with_entries(.value |= [.])`, `.a[:3] = [$i]`, `.a[1:3] = ["x", "y"]`, `. as $s | .o = $s.o | .a = ($s.a + [length])`, `.deep["d\($i % 3)"].x[$i % 5] = $i`,
	`.a as $a | .a += [$i] | .b = $a`, `setpath(["o", "s\($i % 7)"]; $i)`, `(.a[]? | numbers) |= . + 1`, `.keep = [.o, .a]`, `try (.a += [1] | error("x")) catch 0 | if type == "number" then {a: [], o: {}} else . end`,
	`[., (.n += 1)] | .[0].n = .[1].n | .[0]`, `(.n, .m) = $i`, `reduce range(3) as $j (.; .o["r\($j)"] += $i)`, `[foreach range(3) as $j (.; .a += [$j]; .)] | last`, `def f($n): if $n == 0 then . else .a += [$n] | f($n - 1) end; f(2)`,
	`.o as $o | .o = ($o | del(.k1, .k2)) | .was = $o`, `label $out | (.a += ["l"] | ., break $out)`, `first(.n += 1, .n += 2)`, `del(.a[0, -1], .o.k3)`, `to_entries | from_entries`, `limit(1; .a[0] = $i)`, `.a |= (.[0] as $x | .[0] = .[-1] | .[-1] = $x)`,
}

// TestUpdatesInPlaceAreNotSeen checks that a reduce that updates its state in place has
// the same result as one that updates copies. Converting each state to JSON and back
// makes a copy that can't be changed in place.
func TestUpdatesInPlaceAreNotSeen(t *testing.T) {
	r := rand.New(rand.NewSource(9))
	for range 150 {
		var parts []string
		for range 1 + r.Intn(4) {
			parts = append(parts, steps[r.Intn(len(steps))])
		}
		body := "(" + strings.Join(parts, ") | (") + ")"
		start := `{"o":{},"a":[],"n":0}`
		got := byUs(context.Background(), gojqCase{query: fmt.Sprintf(`[foreach range(40) as $i (%s; %s)] | map(tojson)`, start, body), inputs: []any{nil}}, asItIs)
		once := byUs(context.Background(), gojqCase{query: fmt.Sprintf(`reduce range(40) as $i (%s; %s) | tojson`, start, body), inputs: []any{nil}}, asItIs)
		want := byUs(context.Background(), gojqCase{query: fmt.Sprintf(`[foreach range(40) as $i (%s; tojson | fromjson | %s)] | map(tojson)`, start, body), inputs: []any{nil}}, asItIs)
		if got.String() != want.String() {
			t.Fatalf("%s:\n%s\nwant\n%s", body, brief(got), brief(want))
		}
		if len(once.lines) == 1 && !strings.HasPrefix(once.lines[0], "error") && !strings.HasSuffix(want.String(), once.lines[0]+"]") {
			t.Fatalf("%s: reduce gave\n%s\nwant the last of\n%s", body, once, want)
		}
	}
}

// growing lists queries with $n steps. In jq, their run time is proportional to $n.
var growing = []string{
	`reduce range($n) as $i (""; . + "x")`,
	`reduce range($n) as $i (""; . + "\($i)") | length`,
	`reduce range($n) as $i ({}; .["k\($i)"] = $i) | length`, `reduce range($n) as $i ([]; . + [$i]) | length`, `reduce range($n) as $i ([]; .[$i] = $i) | length`,
	`reduce range($n) as $i ({}; . + {"k\($i)": $i}) | length`, `reduce range($n) as $i ([range($n)]; .[$i] += 1) | length`, `reduce range($n) as $i ({}; .c += 1 | .l += [$i]) | .l | length`,
	`reduce range($n) as $i ({a: {b: []}}; .a.b[$i] |= $i) | .a.b | length`, `reduce range($n) as $i ({}; setpath(["a", "k\($i)"]; $i)) | .a | length`, `fromstream([range($n)] | tostream) | length`,
	`reduce range($n) as $i ([range($n)]; del(.[-1])) | length`, `reduce range($n) as $i ([range($n)]; del(.[0])) | length`, `reduce range($n) as $i ([range($n)]; .[1:] + [$i]) | length`, `reduce range($n) as $i ([range($n)]; .[:-1]) | length`,
	`[foreach range($n) as $i ({}; .["k\($i)"] = $i; length)] | length`, `reduce range($n) as $i ([range($n)]; .[$i] as $t | .[$i] = .[-1] | .[-1] = $t) | length`,
	`(reduce range($n) as $i ({}; .["k\($i)"] = $i)) | reduce keys[] as $k (.; del(.[$k])) | length`, `def f: if length < $n then .["k\(length)"] = 1 | f else length end; {} | f`,
	`{} | until(length == $n; .["k\(length)"] = length) | length`, `reduce range($n) as $i ({}; .["k\($i % 100)"] += [$i]) | length`, `last(limit($n; [] | recurse(. + [length]) | length))`,
	`reduce range($n) as $i ([[], {}]; .[0] += [$i] | .[1]["k\($i)"] = $i) | length`, `reduce range($n) as $i ({}; . as $s | .["k\($i)"] = ($s | length)) | length`,
}

// TestUpdatesCostTheirSteps checks that the memory that a query allocates is proportional
// to the number of its steps.
func TestUpdatesCostTheirSteps(t *testing.T) {
	for _, query := range growing {
		p, err := syntax.Parse("", query)
		if err != nil {
			t.Fatal(err)
		}
		code, err := Compile(p, Options{Variables: []string{"$n"}})
		if err != nil {
			t.Fatal(err)
		}
		takes := func(n int) float64 {
			return bytesOf(t, func() {
				if err := code.Run(t.Context(), nil, []any{n}, RunOptions{}, func(any) error { return nil }); err != nil {
					t.Fatal(err)
				}
			})
		}
		takes(100)
		if a, b := takes(2000), takes(8000); b > 6*a {
			t.Errorf("%s: %.0f bytes for 2,000 steps, %.0f for 8,000", query, a, b)
		}
	}
}

// TestParallelUpdatesInPlace checks that workers can safely read a value while the
// consumer updates it. The value was updated in place before the workers started.
func TestParallelUpdatesInPlace(t *testing.T) {
	f := newFake(60, 0)
	query := `(reduce range(100) as $i ({}; .["k\($i)"] = $i | .l += [$i])) as $s | reduce .proxies[] as $p ($s; .[$p.id] = ($p.clusters | length) | .l += [$s.l[3]])
		| [length, (.l | length)], ([$s | length, (.l | length)]), ([.l[]] | add)`
	want := ask(t.Context(), t, query, f.document(), 1)
	for range 5 {
		if got := ask(t.Context(), t, query, newFake(60, 0).document(), 16); got.String() != want.String() {
			t.Fatalf("%s\nwant %s", got, want)
		}
	}
	query = `[.proxies[] | . as $p | reduce range(50) as $i ({}; .["k\($i)"] = ($p.clusters | length)) | ., (.k1 = 0 | .k1)] | length, (map(objects | length) | add)`
	want = ask(t.Context(), t, query, f.document(), 1)
	if got := ask(t.Context(), t, query, newFake(60, 0).document(), 16); got.String() != want.String() {
		t.Fatalf("%s\nwant %s", got, want)
	}
}

// TestListsAreArrays checks that a function written in Go receives an array that was
// updated in place as an ordinary array.
func TestListsAreArrays(t *testing.T) {
	m := values.NewTask(t.Context(), nil, 0, nil)
	v, err := values.WithElements(&m, []any{1, 2}, []any{3})
	if err != nil {
		t.Fatal(err)
	}
	got, err := m.Force(v)
	if err != nil || !object.Equal(got, []any{1, 2, 3}) {
		t.Fatalf("%v %v", got, err)
	}
	w, err := values.WithElement(&m, v, 0, "x")
	if err != nil {
		t.Fatal(err)
	}
	if after, _ := m.Force(w); !object.Equal(got, []any{1, 2, 3}) || !object.Equal(after, []any{"x", 2, 3}) {
		t.Errorf("%v became %v", got, after)
	}
}

// bytesOf returns the number of bytes that a function allocates.
func bytesOf(t *testing.T, f func()) float64 {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return float64(after.TotalAlloc - before.TotalAlloc)
}

// TestAppendedTextsStayApart checks that a string doesn't change when another string is
// appended to it, or to a string that it is a part of.
func TestAppendedTextsStayApart(t *testing.T) {
	query := `("a" * 2000) as $a | ($a + "1") as $b | ($b + "2") as $c | ($b + "3") as $d | ($c + "4") as $e | ($a + "5") as $f
		| [$a, $b, $c, $d, $e, $f | .[1999:]] | join(" ")`
	if got := ask(t.Context(), t, query, nil, 1).String(); !strings.Contains(got, "a a1 a12 a13 a124 a5") {
		t.Error(got)
	}
}
