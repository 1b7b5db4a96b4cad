package eval

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// faulty returns a mesh of n proxies in which the given sections can't be loaded.
func faulty(n int, latency time.Duration, sections ...string) *fake {
	f := newFake(n, latency)
	f.fault = func(s string) bool { return slices.Contains(sections, s) }
	return f
}

// touched returns the sections that the query tried to load and that can't be loaded.
func (f *fake) touched() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []string
	for s := range f.tried {
		if f.fault != nil && f.fault(s) {
			out = append(out, s)
		}
	}
	slices.Sort(out)
	return out
}

const portRefused = "port 15000 refused"

// TestInvariant8 checks that, if a section can't be loaded, its proxy is missing from the
// results, and nothing else changes.
func TestInvariant8(t *testing.T) {
	bad := []string{"pod-001.ns1/clusters", "pod-003.ns0/clusters", "pod-003.ns0/routes", "pod-005.ns2/routes"}
	for _, tc := range []struct {
		query string
		want  string // results for a mesh of 6 proxies, whose sections have 1, 2, 3, 4, 1 and 2 elements
		fails string // message of the error that ends the run
	}{
		{`[.proxies[] | .clusters | length]`, `[1,3,1,2]`, ""},
		{`[.proxies[].clusters | length]`, `[1,3,1,2]`, ""},
		{`[.proxies[] | .i, (.clusters | length), "end"]`, `[0,1,"end",1,2,3,"end",3,4,1,"end",5,2,"end"]`, ""},
		{`[.proxies[] | (.clusters, .routes) | length]`, `[1,1,3,3,1,1,2]`, ""},
		{`[.proxies[] | (.routes, .clusters) | length]`, `[1,1,2,3,3,1,1]`, ""},
		{`[.proxies[] as $p | $p.clusters | length]`, `[1,3,1,2]`, ""},
		{`[.proxies[] as {$i, clusters: [$c]} | $i]`, `[0,2,4,5]`, ""},
		{`.proxies | map(.clusters | length)`, `[1,3,1,2]`, ""},
		{`.proxies | map(select(.clusters | length > 1) | .i)`, `[2,5]`, ""},
		{`[.proxies[] | select(.i < 4) | .clusters[] | .name] | length`, `4`, ""},
		{`[.proxies[] | [.clusters[] | .w] | add] | length`, `4`, ""},
		{`def big: .clusters | length > 1; [.proxies[] | select(big) | .i]`, `[2,5]`, ""},
		{`def all: .proxies[]; [all | .clusters | length]`, `[1,3,1,2]`, ""},
		{`[.proxies[] | {i, n: (.clusters | length)} | .n]`, `[1,3,1,2]`, ""},
		{`reduce .proxies[] as $p (0; . + ($p.clusters | length))`, `7`, ""},
		{`reduce .proxies[] as $p (0; (. + 10, . + ($p.clusters | length)))`, `7`, ""},
		{`reduce (.proxies[] | .clusters | length) as $n (0; . + $n)`, `7`, ""},
		{`[foreach .proxies[] as $p (0; . + ($p.clusters | length))]`, `[1,4,5,7]`, ""},
		{`[foreach .proxies[] as $p (0; . + 1; ., ($p.clusters | length))]`, `[1,1,2,3,3,4,5,1,6,2]`, ""},
		{`any(.proxies[]; .clusters | length == 2)`, `true`, ""},
		{`any(.proxies[]; .clusters | length == 4)`, `false`, ""},
		{`all(.proxies[]; .clusters | length < 4)`, `true`, ""},
		{`.proxies | any(.clusters | length == 2)`, `true`, ""},
		{`first(.proxies[] | select(.clusters | length > 1)).i`, `2`, ""},
		{`[limit(2; .proxies[] | select(.clusters | length > 0) | .i)]`, `[0,2]`, ""},
		{`[limit(3; .proxies[]) | .clusters | length]`, `[1,3]`, ""},
		{`[limit(2; .proxies[]) | .clusters | length]`, `[1]`, ""},
		{`[first(.proxies[1:][]) | .clusters | length]`, `[]`, ""},
		{`[last(.proxies[:4][]) | .clusters | length]`, `[]`, ""},
		{`[.proxies[1:3][] | .clusters | length]`, `[3]`, ""},
		{`[(.proxies[] | .clusters) |= length | .proxies[] | .clusters | length]`, `[1,3,1,2]`, ""},
		{`(.proxies[].clusters) |= length | [.proxies[] | select(.i != 1 and .i != 3) | .clusters]`, `[1,3,1,2]`, ""},
		{`.proxies | map_values(.clusters | length) | map(numbers)`, `[1,3,1,2]`, ""},
		{`del(.proxies[] | select(.clusters | length > 1)) | [.proxies[].i]`, `[0,1,3,4]`, ""},
		{`[path(.proxies[] | select(.clusters | length > 0))[1]]`, `[0,2,4,5]`, ""},
		{`.proxies | sort_by(.clusters | length) | map(.i)`, `[0,4,5,2]`, ""},
		{`.proxies | group_by(.clusters | length) | map(map(.i))`, `[[0,4],[5],[2]]`, ""},
		{`.proxies | max_by(.clusters | length).i`, `2`, ""},
		{`.proxies | unique_by(.clusters | length) | map(.i)`, `[0,5,2]`, ""},
		{`[.proxies[] | try (.clusters | length) catch "bad"]`, `[1,"bad",3,"bad",1,2]`, ""},
		{`[.proxies[] | (.clusters | length)?]`, `[1,3,1,2]`, ""},
		{`[.proxies[] | .i, (.clusters | length)?, "end"] | length`, `16`, ""},
		{`[.proxies[] | try .clusters[0].name catch .] | .[1]`, `"pod-001.ns1: clusters: ` + portRefused + `"`, ""},
		{`[try (.proxies[] | .clusters | length) catch "bad"]`, `[1,3,1,2]`, ""},
		{`[.proxies[]? | .clusters | length]`, `[1,3,1,2]`, ""},
		{`[(.proxies[])? | .clusters | length]`, `[1,3,1,2]`, ""},
		{`[.proxies[] | label $x | .clusters[] | ., break $x] | length`, `4`, ""},
		{`[.proxies[] | .clusters as [$a] ?// $a | 1] | length`, `6`, ""},
		{`.proxies[1].clusters | length`, ``, "pod-001.ns1: clusters: " + portRefused},
		{`.proxies[1] | try .clusters[0].name catch "bad"`, `"bad"`, ""},
		{`.proxies | length, .[3].routes`, `6`, "pod-003.ns0: routes: " + portRefused},
		{`[.proxies[] as $p | .proxies[] | [$p.i, .i, ($p.clusters | length)]] | length`, `24`, ""},
		{`.proxies as $all | [.proxies[] | [$all[] | .clusters | length] | add]`, `[7,7,7,7,7,7]`, ""},
		{`.proxies as $all | [.proxies[] | [.clusters, $all[1].i] | .[1]] | length`, `6`, ""},
		{`[.proxies[] | [.clusters | length] as [$n] | select($n > 1) | .i]`, `[2,5]`, ""},
		{`[.proxies[] | .routes[0].name, (.clusters | length)] | length`, `7`, ""},
	} {
		for _, workers := range []int{1, 2, 64} {
			got := askWith(context.Background(), mustCompile(t, tc.query, Options{}), faulty(6, 100*time.Microsecond, bad...).document(), RunOptions{Workers: workers, Finish: finishDeep})
			if out := strings.Join(got.out, " "); out != tc.want || tc.fails == "" && got.err != nil || tc.fails != "" && (got.err == nil || got.err.Error() != tc.fails) {
				t.Errorf("%s with %d workers: %s, error %v\nwant %s, error %s", tc.query, workers, out, got.err, tc.want, tc.fails)
			}
			if tc.fails == "" && len(got.faults) == 0 && !strings.Contains(tc.query, "$all[1]") {
				t.Errorf("%s with %d workers: no fault was told", tc.query, workers)
			}
		}
	}
}

// TestADropIsExactAhead checks queries in which a proxy is dropped, which changes what
// workers should have evaluated in the meantime. Their work must be repeated, so that the
// results and the reported load failures are the same as with one worker.
func TestADropIsExactAhead(t *testing.T) {
	for _, query := range []string{
		// In these queries, the iteration yields a proxy twice, or raises an error after
		// the proxy.
		`def twice: .proxies[] | (., .); [twice | .clusters | length]`,
		`def fails: .proxies[] | (., if .i == 1 then error("bad") else empty end); [fails | .clusters | length]`,
		`def fails: .proxies[] | (., if .i == 2 then error("bad") else empty end); try (fails | .clusters | length) catch .`,
		`def ends: label $o | .proxies[] | (., if .i == 1 or .i == 4 then break $o else empty end) | [.]; [ends[] | .clusters | length]`,
		`def meets: .proxies[] | (., (.routes | empty), .); [meets | .clusters | length]`,
		`def counted: limit(7; .proxies[] | (., .)) | .; def all: [counted] | .[]; [all | .clusters | length]`,
		`def nested: .proxies[] as $p | .proxies[] | [$p.i, .]; [nested | select(.[0] < 3) | .[1].clusters | length]`,
		// In these queries, the evaluation of one element (not the iteration itself)
		// yields a proxy twice or raises an error.
		`.proxies as $all | [limit(30; .proxies[] | select(.routes) | $all[1:4][] | (., .)) | .clusters | length]`,
		`.proxies as $all | [limit(30; .proxies[] | $all[1:4][] | select(.routes) | (., .)) | .clusters | length]`,
		`.proxies as $all | [limit(50; .proxies[] | $all[1:4][] | (., if .i == 3 then error("bad") else empty end)) | .clusters | length]`,
		`.proxies as $all | try limit(50; .proxies[] | $all[1:4][] | (., if .i == 2 then error("bad") else empty end) | .) catch . | objects | .clusters | length`,
		`.proxies as $all | [limit(50; .proxies[] | (., ($all[1:3][] | (., .))) | .) | .clusters | length]`,
		// In these queries, the part of the query that is evaluated before the first load
		// yields a proxy twice.
		`.proxies as $all | (.proxies[0] | .clusters, .routes | length), (def twice: .proxies[] | (., .); [twice | $all[1, 0].clusters | length])`,
		`reduce (.proxies[] | (., .)) as $p (0; . + ($p.clusters | length))`,
		`[foreach (.proxies[] | (., .)) as $p (0; . + ($p.routes | length); ., ($p.clusters | length))]`,
	} {
		bad := []string{"pod-001.ns1/clusters", "pod-002.ns2/routes", "pod-003.ns0/clusters", "pod-003.ns0/routes"}
		code := mustCompile(t, query, Options{})
		ask := func(workers int) *answer {
			f := faulty(6, 100*time.Microsecond, bad...)
			return askWith(context.Background(), code, f.document(), RunOptions{Workers: workers, Finish: finishDeep})
		}
		want := ask(1)
		if len(want.faults) == 0 {
			t.Errorf("%s: no fault was told", query)
		}
		for _, workers := range []int{2, 64} {
			got := ask(workers)
			if got.String() != want.String() || !slices.Equal(got.faults, want.faults) {
				t.Errorf("%s with %d workers: %s, told %q\none by one: %s, told %q", query, workers, got, got.faults, want, want.faults)
			}
		}
	}
}

// TestFinishDropsToo checks that a value is dropped if its section can't be loaded when
// the result is rendered (in RunOptions.Finish). It is dropped only if it belongs to a
// proxy of an iteration; otherwise the query fails.
func TestFinishDropsToo(t *testing.T) {
	for _, workers := range []int{1, 64} {
		f := faulty(5, 0, "pod-001.ns1/clusters", "pod-003.ns0/routes")
		a := ask(context.Background(), t, `.proxies[]`, f.document(), workers)
		if len(a.out) != 3 || a.err != nil || len(a.faults) != 2 {
			t.Errorf("%d workers: %d results, %v, faults %v", workers, len(a.out), a.err, a.faults)
		}
		f = faulty(5, 0, "pod-001.ns1/clusters")
		a = ask(context.Background(), t, `.proxies[1]`, f.document(), workers)
		if a.err == nil || len(a.faults) != 1 {
			t.Errorf("%d workers: %v, faults %v", workers, a.err, a.faults)
		}
	}
}

// TestFaultsAheadAreNotTold checks that the reported load failures don't depend on how
// far the workers run ahead of the consumer. If the query ends before it needs a proxy, a
// failure of that proxy is not reported.
func TestFaultsAheadAreNotTold(t *testing.T) {
	for _, workers := range []int{1, 2, 64} {
		f := faulty(40, 100*time.Microsecond, "pod-003.ns0/clusters", "pod-004.ns1/clusters", "pod-009.ns0/clusters")
		a := ask(context.Background(), t, `[limit(4; .proxies[] | select(.clusters | length > 0) | .i)]`, f.document(), workers)
		if want := []string{"pod-003.ns0: clusters: " + portRefused, "pod-004.ns1: clusters: " + portRefused}; !slices.Equal(a.faults, want) || a.out[0] != "[0,1,2,5]" {
			t.Errorf("%d workers: %v, faults %q, want %q", workers, a.out, a.faults, want)
		}
	}
}

func FuzzFaults(f *testing.F) {
	for seed := range uint64(300) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 1))
		const n = 6
		var bad []string
		for i := range n {
			for _, s := range []string{"clusters", "routes"} {
				if r.IntN(4) == 0 {
					bad = append(bad, fmt.Sprintf("pod-%03d.ns%d/%s", i, i%3, s))
				}
			}
		}
		query := (&writer{r}).query()
		code := mustCompile(t, query, Options{})
		alone := faulty(n, 0, bad...)
		want := askShort(code, alone.document(), 1)
		if slices.Sort(want.faults); !slices.Equal(slices.Compact(slices.Clone(want.faults)), named(alone.touched())) {
			t.Fatalf("%s\nwith %v: told %q, touched %q", query, bad, want.faults, alone.touched())
		}
		want = askShort(code, faulty(n, 0, bad...).document(), 1)
		for _, workers := range []int{2, 16} {
			got := askShort(code, faulty(n, 60*time.Microsecond, bad...).document(), workers)
			if got.String() != want.String() || !slices.Equal(got.faults, want.faults) {
				t.Fatalf("%s\nwith %v and %d workers: %s\ntold %q\none by one: %s\ntold %q", query, bad, workers, got, got.faults, want, want.faults)
			}
		}
		if len(want.faults) == 0 {
			eager := askShort(code, proxiesOf(newFake(n, 0).plain()), 1)
			if shown, _, _ := strings.Cut(want.String(), "{…}"); want.String() != eager.String() && (shown == want.String() || !strings.HasPrefix(eager.String(), shown)) {
				t.Fatalf("%s: %s\neagerly: %s", query, want, eager)
			}
		}
	})
}

// askShort runs a random query. It stops at a timeout and returns only the first results.
func askShort(code *Code, doc any, workers int) *answer {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	a := askWith(ctx, code, doc, RunOptions{Workers: workers, Finish: finishDeep})
	if errors.Is(a.err, context.DeadlineExceeded) {
		return &answer{}
	}
	return a
}

// named returns the error messages for sections that can't be loaded, in order. Each
// section is given as "proxy/section".
func named(sections []string) []string {
	var out []string
	for _, s := range sections {
		proxy, section, _ := strings.Cut(s, "/")
		out = append(out, proxy+": "+section+": "+portRefused)
	}
	slices.Sort(out)
	return out
}

// proxiesOf replaces each proxy in a JSON document by a mesh object of kind Proxy,
// because errors name only the proxy of such an object.
func proxiesOf(doc any) any {
	m := doc.(*object.Object)
	ps := m.Get("proxies").([]any)
	for i, p := range ps {
		ps[i] = mesh.NewObject("Proxy", nil, p.(*object.Object))
	}
	return doc
}

// writer writes random queries for the test mesh.
type writer struct{ *rand.Rand }

func (w *writer) pick(of ...string) string { return of[w.IntN(len(of))] }

// query returns a random query for the test mesh.
func (w *writer) query() string {
	ps := w.proxies()
	switch w.IntN(14) {
	case 0:
		return fmt.Sprintf("reduce %s as $p (0; . + ($p | %s))", ps, w.number(2))
	case 1:
		return fmt.Sprintf("[foreach %s as $p (0; . + ($p | %s); ., ($p | %s))]", ps, w.number(2), w.value(2))
	case 2:
		return fmt.Sprintf("%s(%s; %s > %d)", w.pick("any", "all"), ps, w.number(2), w.IntN(4))
	case 3:
		return fmt.Sprintf("[limit(%d; %s | %s)]", w.IntN(5), ps, w.value(2))
	case 4:
		return fmt.Sprintf("first(%s | select(%s)) | %s", ps, w.cond(2), w.value(1))
	case 5:
		return fmt.Sprintf(".proxies | %s(%s) | map(.i?)", w.pick("sort_by", "group_by", "unique_by"), w.number(2))
	case 6:
		return fmt.Sprintf(".proxies | map(%s)", w.value(2))
	case 7:
		return fmt.Sprintf("[%s as $p | %s | [($p | %s), (%s)]]", ps, w.proxies(), w.value(1), w.value(1))
	case 8:
		return fmt.Sprintf("(%s | %s) |= length | [.proxies[] | .i, (.clusters | type)]", ps, w.section())
	case 9:
		return fmt.Sprintf("label $out | %s | if %s then (., break $out) else . end | %s", ps, w.cond(1), w.value(1))
	case 10:
		return fmt.Sprintf("def f: %s; def g(x): [x | %s]; g(f), [f | %s]", ps, w.value(1), w.value(1))
	case 11:
		return fmt.Sprintf("try (%s | %s) catch ., [%s | (%s)?]", ps, w.value(2), ps, w.value(1))
	case 12:
		return fmt.Sprintf("[(%s | %s, %s) | %s]", ps, w.section(), w.section(), w.element(1))
	}
	return fmt.Sprintf("%s | %s", ps, w.value(3))
}

// proxies returns a random expression that yields some proxies of the mesh.
func (w *writer) proxies() string {
	switch w.IntN(13) {
	case 9:
		return fmt.Sprintf("(. as $all | limit(%d; .proxies[] | $all.proxies[%d:][] | %s))", 10+w.IntN(30), 2+w.IntN(3), w.pick("(., .)", "select(.routes)", "., first(.clusters[] | empty)"))
	case 10:
		return fmt.Sprintf("(.proxies[] | (., if .i == %d then %s else empty end))", w.IntN(6), w.pick(`error("bad")`, "empty", "(.routes | empty)", "."))
	case 11:
		return fmt.Sprintf("(label $l | .proxies[] | (., if .i == %d then break $l else empty end))", w.IntN(6))
	case 12:
		return fmt.Sprintf("(def g: %s; g | select(%s))", w.proxies(), w.cond(1))
	case 0:
		return fmt.Sprintf("(.proxies[] | select(%s))", w.cond(2))
	case 1:
		return fmt.Sprintf(".proxies[%d:][]", w.IntN(5))
	case 2:
		return fmt.Sprintf("limit(%d; .proxies[])", 1+w.IntN(5))
	case 3:
		return "(.proxies | sort_by(-.i) | .[])"
	case 4:
		return "(.proxies[] | ., .)"
	case 5:
		return fmt.Sprintf(".proxies[%d]", w.IntN(6))
	}
	return ".proxies[]"
}

func (w *writer) section() string { return w.pick(".clusters", ".routes") }

// value returns a random expression that yields a value of a proxy.
func (w *writer) value(depth int) string {
	if depth == 0 {
		return w.pick(".i", ".name", ".clusters", ".routes")
	}
	switch w.IntN(12) {
	case 0:
		return fmt.Sprintf("(%s, %s)", w.value(depth-1), w.value(depth-1))
	case 1:
		return fmt.Sprintf("(if %s then %s else %s end)", w.cond(depth-1), w.value(depth-1), w.value(depth-1))
	case 2:
		return fmt.Sprintf("(try (%s) catch %s)", w.value(depth-1), w.pick(".", "\"caught\"", "empty"))
	case 3:
		return fmt.Sprintf("{i, x: (%s)}", w.value(depth-1))
	case 4:
		return fmt.Sprintf("[%s]", w.value(depth-1))
	case 5:
		return fmt.Sprintf("(%s[] | %s)", w.section(), w.element(depth-1))
	case 6:
		return fmt.Sprintf("(. as $q | %s[] as $c | [$q.i, ($c | %s), ($q | %s)])", w.section(), w.element(0), w.value(depth-1))
	case 7:
		return fmt.Sprintf("(%s // %s)", w.value(depth-1), w.value(depth-1))
	case 8:
		return fmt.Sprintf("(if %s then error(%q) else %s end)", w.cond(depth-1), "bad", w.value(depth-1))
	case 9:
		return fmt.Sprintf("(%s as [$a] ?// $a | $a)", w.section())
	}
	return w.number(depth)
}

// element returns a random expression that yields a value of one element of a section.
func (w *writer) element(depth int) string {
	switch w.IntN(5) {
	case 0:
		return fmt.Sprintf("(select(.w? > %d) | .name)", w.IntN(9))
	case 1:
		return "length"
	case 2:
		if depth > 0 {
			return fmt.Sprintf("(%s, %s)", w.element(depth-1), w.element(depth-1))
		}
	}
	return ".w?"
}

func (w *writer) number(depth int) string {
	if depth == 0 {
		return w.pick(".i", "1")
	}
	switch w.IntN(6) {
	case 0:
		return fmt.Sprintf("(%s + %s)", w.number(depth-1), w.number(depth-1))
	case 1:
		return ".i"
	case 2:
		return fmt.Sprintf("([%s[] | .w] | add)", w.section())
	case 3:
		return fmt.Sprintf("first(%s[] | .w)", w.section())
	}
	return fmt.Sprintf("(%s | length)", w.section())
}

func (w *writer) cond(depth int) string {
	switch w.IntN(6) {
	case 0:
		return fmt.Sprintf("(%s > %d)", w.number(depth), w.IntN(4))
	case 1:
		return `.rds == "STALE"`
	case 2:
		return fmt.Sprintf("(%s and %s)", w.pick(".i > 1", ".i < 4"), fmt.Sprintf("(%s > 1)", w.number(1)))
	case 3:
		return fmt.Sprintf("any(%s[]; .w > %d)", w.section(), w.IntN(9))
	}
	return fmt.Sprintf(".i %s %d", w.pick("<", ">", "==", "!="), w.IntN(6))
}
