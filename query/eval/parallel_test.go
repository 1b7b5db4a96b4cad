package eval

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// meshQueries are queries that read lazy values in different ways.
var meshQueries = []string{
	`.proxies[] | .clusters | length`,
	`.proxies[] | select(.rds=="STALE") | .clusters[].name`,
	`[.proxies[].clusters[] | select(.w>5)] | length`,
	`.proxies[] | if .i==5 then error("x") else (.clusters|length) end`,
	`label $out | .proxies[] | if .i==5 then break $out else (.clusters|length) end`,
	`.proxies[] | try (if .i%5==0 then error("x") else (.clusters|length) end) catch "E"`,
	`[.proxies[] | (if .i%5==0 then error("x") else (.clusters|length) end)?]`,
	`try (.proxies[] | if .i==4 then error("x") else .clusters[0].name end) catch "caught"`,
	`reduce .proxies[] as $p ({}; .[$p.ns] += ($p.clusters|length))`,
	`[foreach .proxies[] as $p (0; . + ($p.routes|length); [$p.name, .])] | length`,
	`foreach .proxies[] as $p (0; . + ($p.routes|length); [$p.name, ., ($p.clusters|length)])`,
	`.proxies | map(select(.ns=="ns1")) | map({name, c: [.clusters[].name]})`,
	`.proxies | group_by(.ns) | map([.[] | .clusters|length] | add)`,
	`.proxies | sort_by(.clusters|length) | map(.name)[0:3]`,
	`.proxies | min_by(.routes[0].w).name`,
	`.proxies | unique_by(.clusters|length) | length`,
	`first(.proxies[] | select(.clusters|length > 2)).name`,
	`[limit(3; .proxies[].clusters[].name)]`,
	`[skip(30; .proxies[].clusters[].name)]`,
	`any(.proxies[]; .clusters|length > 3)`,
	`all(.proxies[]; .clusters|length > 0)`,
	`isempty(.proxies[] | select(.clusters|length > 9))`,
	`.proxies[] as $p | $p.clusters[] as $c | [$p.name, $c.w] | select(.[1]==3)`,
	`.proxies[] as {$name, clusters: [$c]} | [$name, $c.w]`,
	`.proxies as $all | .proxies[] | select(.i<3) | .clusters[0].w as $w | [$all[] | select(.routes[0].w == $w) | .name]`,
	`def f: .proxies[] | select(.ns=="ns2"); [f | .clusters | length], [f | .name]`,
	`def g(x): [x | .clusters | length] | add; g(.proxies[])`,
	`def both: .clusters, .routes; [.proxies[] | both | length] | add`,
	`.proxies | to_entries | map(select(.key<2) | .value.clusters|length)`,
	`.proxies[1:4][].clusters[0].name`,
	`[.proxies[] | .clusters, .routes | length] | add`,
	`[(.proxies[0], .proxies[1:][]) | .clusters | length]`,
	`path(.proxies[] | select(.clusters|length==4) | .name)`,
	`[path(.proxies[].clusters[] | select(.w > 8) | .name)]`,
	`[paths(.w? == 3)] | length`,
	`.proxies[0].clusters |= length | .proxies[0].clusters`,
	`(.proxies[] | select(.clusters|length==4) | .ns) = "x" | [.proxies[].ns] | unique`,
	`(.proxies[].clusters) |= length | [.proxies[].clusters]`,
	`[.proxies[] | .clusters |= map(.w) | .clusters | add]`,
	`del(.proxies[] | select(.clusters|length > 1)) | .proxies | length`,
	`.proxies | map(.name) | length`,
	`[.proxies[] | has("clusters")] | all`,
	`.proxies[0] | keys`,
	`[.proxies[] | to_entries[] | .key] | unique`,
	`.proxies | map({(.name): (.clusters|length)}) | add | length`,
	`.proxies | INDEX(.name)["pod-007"].clusters[0].name`,
	`[.proxies[] | .clusters | if length > 2 then .[2].name else empty end]`,
	`.proxies[] | select(.i < 2)`,
	`[.proxies[] | select(.i < 6) | .clusters == (.clusters | sort_by(.name))]`,
	`.proxies | map(select(any(.clusters[]; .w==4)) | .name)`,
	`[.proxies[] | .clusters[] | .w] | group_by(.) | map([.[0], length])`,
	`.proxies | walk(if type=="object" then del(.w) else . end) | .[0]`,
	`tojson | length`,
	`[.. | .w? // empty] | add`,
	`last(.proxies[] | .clusters[0].name)`,
	`nth(5; .proxies[].clusters[].name)`,
	`[.proxies[] | .clusters[0].w] | [., (.|sort)] | .[1][0]`,
	`reduce (.proxies[] | select(.ns=="ns0")) as {clusters: [$c]} (0; . + $c.w)`,
	`[.proxies[] | (.clusters, .routes) as [$a] | $a.name] | length`,
	`until(true; .proxies[].clusters) | type`,
	`.proxies | [.[] | [.name, (.clusters | map(.w) | add)]] | max_by(.[1])`,
	`[.proxies[] | .clusters] | length`,
	`.proxies[].clusters[0:1][].name | ascii_upcase | ltrimstr("CLUSTERS")`,
	`[.proxies[] | "\(.name)=\(.clusters|length)"] | join(",")`,
	`@csv "\([.proxies[] | .clusters|length])"`,
	`.proxies[] | .clusters as [$a] ?// $a | [$a.w?, .i]`,
	`[.proxies[] as [$a] ?// {i: $a} | $a]`,
	`[limit(7; .proxies[] | (.clusters[], .routes[]) | .w)]`,
	`[.proxies[] | first(.clusters[], .routes[]) | .name] | length`,
	`[.proxies[] | label $x | .clusters[] | if .w > 6 then ., break $x else .name end]`,
	`[.proxies[] | .i as $i | .clusters[] | {i: $i, w}] | map(.w) | add`,
	`[.proxies[], .proxies[] | .routes | length] | add`,
	`.proxies | map_values(.clusters | length)`,
	`[.proxies[] | try error({name}) catch .name, (.clusters | length)]`,
	`[.proxies | .[:10] | .[] | .clusters | map(select(.w % 2 == 0)) | length]`,
}

// TestAheadIsTheSame checks that concurrent evaluation changes no result, and loads no
// more than a sequential evaluation, unless the query stops early. The results must be
// the same as gojq's for the completely loaded document.
func TestAheadIsTheSame(t *testing.T) {
	const n = 24
	exact, early := 0, 0
	for _, q := range meshQueries {
		want := askGojq(t, q, newFake(n, 0).plain())
		alone := newFake(n, 0)
		if got := ask(context.Background(), t, q, alone.document(), 1); got.String() != want.String() {
			t.Errorf("%s with one worker: %.300s\nwant %.300s", q, got, want)
		}
		for _, workers := range []int{2, 5, 64} {
			f := newFake(n, 200*time.Microsecond)
			if got := ask(context.Background(), t, q, f.document(), workers); got.String() != want.String() {
				t.Errorf("%s with %d workers: %.300s\nwant %.300s", q, workers, got, want)
			}
			bound := workers
			switch {
			// These queries have nested iterations.
			case strings.Contains(q, "$all[]"), strings.Contains(q, "paths"), strings.Contains(q, ".."), strings.Contains(q, "walk"):
				bound = 2 * workers
			// A worker that loads for a later step may still be running when the query
			// ends.
			case strings.Contains(q, "reduce"), strings.Contains(q, "foreach"), strings.Contains(q, "|="):
				bound++
			}
			if most := f.most.Load(); most > int64(bound) {
				t.Errorf("%s with %d workers: %d loads at once", q, workers, most)
			}
			if workers == 64 {
				switch a, b := alone.loaded(), f.loaded(); {
				case slices.Equal(a, b):
					exact++
				case len(b) < len(a), want.err == nil && !stopsEarly(q):
					t.Errorf("%s: loaded %d ahead, %d one by one", q, len(b), len(a))
				default:
					early++
				}
			}
		}
	}
	t.Logf("%d queries: %d load the same, %d stop early and load more", len(meshQueries), exact, early)
}

func stopsEarly(q string) bool {
	for _, w := range []string{"first(", "limit(", "any(", "all(", "isempty(", "label", "nth(", "try (.proxies"} {
		if strings.Contains(q, w) {
			return true
		}
	}
	return false
}

// TestRunsAhead checks that these queries load several elements concurrently.
func TestRunsAhead(t *testing.T) {
	for _, q := range []string{
		`.proxies[].clusters | length`,
		`[.proxies[].clusters][] | length`,
		`.proxies | map(.clusters | length)`,
		`.proxies | map(.clusters) | map(length)`,
		`.proxies | map({name, c: .clusters}) | .[] | .c | length`,
		`.proxies[] | select(.clusters | length > 0) | .name`,
		`.proxies[] as $p | $p.clusters | length`,
		`.proxies[] as {clusters: $c} | $c | length`,
		`def f: .proxies[]; f | .clusters | length`,
		`def f(x): [x | length]; f(.proxies[] | .clusters)`,
		`.proxies | sort_by(.clusters | length) | length`,
		`.proxies | group_by(.clusters | length) | length`,
		`any(.proxies[]; .clusters | length == 0)`,
		`all(.proxies[]; .clusters | length > 0)`,
		`reduce .proxies[] as $p (0; . + ($p.clusters | length))`,
		`[foreach .proxies[] as $p (0; . + ($p.clusters | length))] | length`,
		`[.proxies[] | .clusters[]] | length`,
		`[limit(30; .proxies[] | .clusters[])] | length`,
		`first(.proxies[] | select(.clusters | length > 9))`,
		`.proxies[]`,
		`def g(x): x; g(.proxies[]) | .clusters | length`,
		`def g(x): x | .clusters; def h(x): g(x); [h(.proxies[]) | length]`,
		`def sum(f): reduce f as $x (0; . + ($x | length)); sum(.proxies[].clusters)`,
		`label $out | .proxies[] | ., break $out`,
		`[paths(type == "number")] | length`,
		`[.proxies[] | del(.name)] | map(.clusters | length)`,
		`(.proxies[0], .proxies[1:][]) | .clusters | length`,
		`.proxies | to_entries | map(.value |= (.clusters | length))`,
		`.proxies | to_entries[] | .value.clusters | length`,
		`.proxies | to_entries | map(.value.clusters | length)`,
		`.proxies | INDEX(.clusters | length) | length`,
		`.proxies | map_values(.clusters | length)`,
		`.proxies |= map(.clusters |= length)`,
		`.proxies[].clusters |= length`,
		`.proxies | @json | length`,
		`[..] | length`,
		`if .kind == "Mesh" then .proxies[] else . end | .clusters | length`,
		`def each($s): if .kind == "Mesh" then .proxies[] | each($s) else .[$s] end; each("clusters") | length`,
		`[.proxies[].clusters[] | select(.name == "clusters-1-0")] | length`,
		`any(.proxies[].clusters[]; .name == "x")`,
	} {
		f := newFake(12, 3*time.Millisecond)
		a := ask(context.Background(), t, q, f.document(), 8)
		if most := f.most.Load(); a.err != nil || most < 2 {
			t.Errorf("%s: %d loads at once, %v", q, most, a.err)
		}
	}
}

// hung is the time after its deadline at which a run counts as hung. The actual delay is
// measured but not tested, because the machine may be busy.
const hung = 3 * time.Minute

// goroutines waits until the number of running goroutines is at most the given one. It
// returns the number that are running.
func goroutines(most int) int {
	for range 10000 {
		if n := runtime.NumGoroutine(); n <= most {
			return n
		}
		time.Sleep(time.Millisecond)
	}
	return runtime.NumGoroutine()
}

func TestNothingIsLeftRunning(t *testing.T) {
	before := runtime.NumGoroutine()
	f := newFake(300, 20*time.Millisecond)
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Millisecond)
	defer cancel()
	start := time.Now()
	a := ask(ctx, t, `[.proxies[].clusters | length] | add`, f.document(), 16)
	if !errors.Is(a.err, context.DeadlineExceeded) {
		t.Errorf("got %v", a.err)
	}
	if d := time.Since(start); d > hung {
		t.Errorf("it took %v to end", d)
	}
	if n := goroutines(before); n > before { // goroutines that have reported their end may still be ending
		t.Errorf("%d goroutines when Run returned, %d before", n, before)
	}
	for _, q := range []string{`first(.proxies[] | .clusters | length)`, `.proxies[] | .clusters[0] | error`, `any(.proxies[]; .routes)`,
		`reduce .proxies[] as $p (0; if . > 3 then error("enough") else . + ($p.clusters | length) end)`} {
		ask(context.Background(), t, q, newFake(100, time.Millisecond).document(), 16)
		if n := goroutines(before); n > before {
			t.Errorf("%s: %d goroutines when Run returned, %d before", q, n, before)
		}
	}
}

// TestPanicsComeOut checks that Run panics in the caller's goroutine if a worker panics.
func TestPanicsComeOut(t *testing.T) {
	before := runtime.NumGoroutine()
	bad := Native{Name: "bad", Value: func(c *Call) (any, error) { panic("no good") }}
	code := mustCompile(t, `try (.proxies[] | .clusters | bad) catch 1`, Options{Natives: []Native{bad}})
	for _, workers := range []int{1, 8} {
		func() {
			defer func() {
				if r := recover(); r == nil || !strings.Contains(fmt.Sprint(r), "no good") {
					t.Errorf("%d workers: got %v", workers, r)
				}
			}()
			askWith(context.Background(), code, newFake(20, 0).document(), RunOptions{Workers: workers})
		}()
	}
	if n := goroutines(before); n > before {
		t.Errorf("%d goroutines left", n)
	}
}

// TestScoutsGiveUp checks that a scout (a worker that only loads in advance) stops after
// a limited number of steps. A scout doesn't know the consumer's state, so its evaluation
// may never end by itself.
func TestScoutsGiveUp(t *testing.T) {
	query := `reduce .proxies[] as $p (null; if . == null and $p.i > 0 then last(range(1e15)) else . + ($p.clusters | length) end)`
	f := newFake(40, 0)
	if a := ask(context.Background(), t, query, f.document(), 8); fmt.Sprint(a.out) != "[100]" {
		t.Errorf("got %v", a)
	}
}
