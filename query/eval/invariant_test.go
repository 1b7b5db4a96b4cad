package eval

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/query/ahead"
	"github.com/meshq/kubectl-meshq/query/values"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// TestInvariant1 checks that a document in which every part is lazy has the same results
// as the completely loaded document in gojq.
func TestInvariant1(t *testing.T) {
	for _, q := range meshQueries {
		f := newFake(12, 0)
		want := askGojq(t, q, f.plain())
		if got := ask(context.Background(), t, q, lazily(f.plain()), 1); got.String() != want.String() {
			t.Errorf("%s: %.300s\nwant %.300s", q, got, want)
		}
	}
}

// TestInvariant3 checks the order: with any number of workers, results and messages
// arrive in the same order as with one worker.
func TestInvariant3(t *testing.T) {
	query := `.proxies[] | .nofield, (.clusters[].name | "\(.)"), (.routes[].w | select(. > 9) | note("big")), (if .i == 17 then error("last") else .i end)`
	o := Options{
		Natives:   []Native{{Name: "note", Arity: 1, Value: func(c *Call) (any, error) { c.Note(fmt.Sprint(c.In, c.Args[0])); return c.In, nil }}},
		FieldHint: func(kind, field string) string { return kind + " has no " + field },
	}
	code := mustCompile(t, query, o)
	var want string
	for _, workers := range []int{1, 2, 3, 16, 64} {
		f := faulty(40, 300*time.Microsecond, "pod-004.ns1/clusters", "pod-009.ns0/routes", "pod-020.ns2/clusters")
		var log []string
		add := func(kind string) func(any) {
			// the log has no lock, so that the race detector reports calls from a second
			// goroutine
			return func(v any) { log = append(log, fmt.Sprint(kind, v)) }
		}
		err := code.Run(context.Background(), f.document(), nil, RunOptions{
			Workers: workers, Finish: finishDeep,
			Note:  func(s string) { add("note ")(s) },
			Fault: func(f *mesh.Fault) { add("fault ")(f) },
		}, func(v any) error { add("out ")(v); return nil })
		log = append(log, fmt.Sprint(err))
		got := strings.Join(log, "\n")
		if want == "" {
			want = got
		}
		if got != want {
			t.Errorf("%d workers: %s\nwant %s", workers, got, want)
		}
	}
	if !strings.Contains(want, "fault pod-004") || !strings.Contains(want, "note ") || !strings.HasSuffix(want, "pod-017.ns2: error: last") || strings.Contains(want, "pod-020") {
		t.Errorf("got %s", want)
	}
}

// TestInvariant4 checks that values that workers evaluated but the query didn't use have
// no visible effect.
func TestInvariant4(t *testing.T) {
	for _, q := range []string{
		`first(.proxies[] | .nofield, .clusters[0].name)`,
		`[limit(2; .proxies[] | .clusters | length)]`,
		`label $out | .proxies[] | (.clusters | length), break $out`,
		`any(.proxies[]; .clusters | length > 0)`,
		`.proxies[] | if .clusters | length > 0 then error("stop") else . end`,
	} {
		f := newFake(40, 500*time.Microsecond)
		// all sections that only workers load in advance fail to load
		f.fault = func(s string) bool { return s > "pod-002" }
		code := mustCompile(t, q, Options{FieldHint: func(_, field string) string { return field }})
		a := askWith(context.Background(), code, f.document(), RunOptions{Workers: 16})
		if len(a.faults) > 0 || len(a.notes) > 1 || a.err != nil && !strings.HasSuffix(a.err.Error(), "stop") {
			t.Errorf("%s: faults %q, notes %q, %v", q, a.faults, a.notes, a.err)
		}
	}
}

// stuck is a section that loads only when the test permits it.
type stuck struct {
	fake *stuckMesh
	i    int
}

type stuckMesh struct {
	release chan struct{}
	loading atomic.Int32
	most    atomic.Int32
	passed  atomic.Int32
}

func (s *stuck) Pending() bool       { return true }
func (s *stuck) Forced() (any, bool) { return nil, false }
func (s *stuck) Force(ctx context.Context) (any, error) {
	if err := mesh.Enter(ctx); err != nil {
		return nil, err
	}
	f := s.fake
	n := f.loading.Add(1)
	defer f.loading.Add(-1)
	for most := f.most.Load(); n > most && !f.most.CompareAndSwap(most, n); most = f.most.Load() {
	}
	f.passed.Add(1)
	select {
	case <-f.release:
		return []any{s.i}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func newStuck(n int) (*stuckMesh, any) {
	f := &stuckMesh{release: make(chan struct{})}
	var ps []any
	for i := range n {
		ps = append(ps, mesh.NewObject("Proxy", nil, object.Of("i", i, "clusters", &stuck{fake: f, i: i})))
	}
	return f, object.Of("proxies", ps)
}

// settle waits until the counter n has reached the given minimum, and then until it no
// longer changes.
func settle(n *atomic.Int32, least int32) int32 {
	for end := time.Now().Add(20 * time.Second); n.Load() < least && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	last, since := n.Load(), time.Now()
	for time.Since(since) < 30*time.Millisecond {
		runtime.Gosched()
		if now := n.Load(); now != last {
			last, since = now, time.Now()
		}
		time.Sleep(time.Millisecond)
	}
	return last
}

// TestInvariant5 checks that the run waits within its limits if all loads are blocked and
// no result is taken. It must continue as soon as one load ends.
func TestInvariant5(t *testing.T) {
	f, doc := newStuck(3000)
	code := mustCompile(t, `.proxies[] | .clusters[], (range(600) | -1)`, Options{})
	taken := 0
	done := make(chan error)
	go func() {
		done <- code.Run(context.Background(), doc, nil, RunOptions{Workers: 8}, func(any) error { taken++; return nil })
	}()
	if n := settle(&f.loading, ahead.FirstLoads); n != ahead.FirstLoads {
		t.Errorf("%d load before anything was used, want %d", n, ahead.FirstLoads)
	}
	close(f.release)
	if err := <-done; err != nil || taken != 3000*601 {
		t.Errorf("%d results, %v", taken, err)
	}
	if most := f.most.Load(); most > 8 {
		t.Errorf("%d loads at once", most)
	}
}

// TestInvariant6All checks that all workers load elements from the beginning if the
// caller wants all results. A part of the query that may not need all elements must begin
// with fewer loads.
func TestInvariant6All(t *testing.T) {
	for q, want := range map[string]int32{
		`.proxies[] | .clusters[]`:                                       8,
		`[.proxies[] | .clusters | length] | add`:                        8,
		`def n: .clusters | length; .proxies[] | n`:                      8,
		`first(.proxies[] | .clusters[])`:                                ahead.FirstLoads,
		`limit(3; .proxies[].clusters[])`:                                ahead.FirstLoads,
		`nth(3; .proxies[].clusters[])`:                                  ahead.FirstLoads,
		`any(.proxies[]; .clusters | length > 3)`:                        ahead.FirstLoads,
		`isempty(.proxies[].clusters[])`:                                 ahead.FirstLoads,
		`label $enough | .proxies[] | .clusters | length, break $enough`: ahead.FirstLoads,
		`def some: first(.proxies[] | .clusters | length); [some] | add`: ahead.FirstLoads,
		`.proxies[] | .clusters | IN([1], 2)`:                            ahead.FirstLoads,
	} {
		f, doc := newStuck(30)
		done := make(chan error)
		go func() {
			done <- mustCompile(t, q, Options{}).Run(context.Background(), doc, nil, RunOptions{Workers: 8, All: true}, func(any) error { return nil })
		}()
		if n := settle(&f.loading, want); n != want {
			t.Errorf("%s: %d load at first, want %d", q, n, want)
		}
		close(f.release)
		if err := <-done; err != nil {
			t.Errorf("%s: %v", q, err)
		}
	}
}

// TestInvariant5Bounds checks that the workers stop at their limits if the consumer takes
// no results.
func TestInvariant5Bounds(t *testing.T) {
	for _, tc := range []struct {
		query string
		most  int32
	}{
		{`.proxies[] | seen`, ahead.MaxAhead + 2},
		{`.proxies[:10][] | range(1000000) | seen`, 11 * (ahead.MaxReady + 1)},
		{`.proxies[:10][] | .clusters[], (range(1000000) | seen)`, 11 * (ahead.MaxReady + 1)},
		{`def f: .proxies[] | seen; f | .i`, 3*ahead.MaxAhead + 8},
	} {
		var seen atomic.Int32
		var before int32
		count := Native{Name: "seen", Value: func(c *Call) (any, error) { seen.Add(1); return c.In, nil }}
		f, doc := newStuck(5 * ahead.MaxAside)
		close(f.release)
		enough := errors.New("enough")
		err := mustCompile(t, tc.query, Options{Natives: []Native{count}}).Run(context.Background(), doc, nil, RunOptions{Workers: 8}, func(any) error {
			// number of elements that were evaluated before the consumer received its
			// first result
			before = seen.Load()
			settle(&seen, 20)
			return enough
		})
		if n := seen.Load(); err != enough || n-before > tc.most || n < 20 {
			t.Errorf("%s: %d, at most %d, %v", tc.query, n, tc.most, err)
		}
	}
	f, doc := newStuck(100)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() {
		code := mustCompile(t, `.proxies as $all | .proxies[] | $all[] | .clusters[]`, Options{})
		done <- code.Run(ctx, doc, nil, RunOptions{Workers: 8}, func(any) error { return nil })
	}()
	for range 200 { // lets some elements finish, because that raises the limit on concurrent loads
		f.release <- struct{}{}
	}
	if n := settle(&f.loading, 1); n > 16 || n < 1 {
		t.Errorf("%d loads of regions inside one another", n)
	}
	cancel()
	<-done
}

// TestInvariant6 checks that the first element may always load, even if later elements
// and outer iterations use all permits.
func TestInvariant6(t *testing.T) {
	for _, q := range []string{
		`.proxies as $all | .proxies[] | .i, ($all[] | select(.i > 2) | .clusters[])`,
		`.proxies[] | .i as $i | if $i == 0 then (.clusters[], .clusters[]) else .clusters[] end`,
		`.proxies as $all | .proxies[] | [$all[:3][] | [$all[3:6][] | .clusters[]] | add] | add`,
		`reduce .proxies[] as $p (0; . + ($p.clusters | length))`,
	} {
		for _, workers := range []int{2, 3, 8} {
			f, doc := newStuck(20)
			code := mustCompile(t, q, Options{})
			done := make(chan error)
			go func() {
				done <- code.Run(context.Background(), doc, nil, RunOptions{Workers: workers}, func(any) error { return nil })
			}()
			ticker := time.NewTicker(20 * time.Microsecond)
			timeout := time.After(20 * time.Second)
		wait:
			for {
				select {
				case err := <-done:
					if err != nil {
						t.Errorf("%s: %v", q, err)
					}
					break wait
				case <-ticker.C: // lets one load finish
					select {
					case f.release <- struct{}{}:
					default:
					}
				case <-timeout:
					t.Fatalf("%s with %d workers: nothing moves", q, workers)
				}
			}
			ticker.Stop()
		}
	}
}

// TestInvariant7 checks cancellation: each event that ends a run also ends all goroutines
// of the run.
func TestInvariant7(t *testing.T) {
	before := runtime.NumGoroutine()
	enough := errors.New("enough")
	for _, tc := range []struct {
		query string
		stop  func(cancel func()) error
	}{
		{`.proxies[] | .i, .clusters[]`, func(cancel func()) error { cancel(); return nil }},
		{`.proxies[] | .i, .clusters[]`, func(func()) error { return enough }},
		{`first(.proxies[] | .i, .clusters[])`, nil},
		{`.proxies[] | .i, error("x"), .clusters[]`, nil},
		{`.proxies[] | .i, (.clusters[] | error("x"))`, func(cancel func()) error { cancel(); return nil }},
		{`.proxies as $all | [.proxies[] | [$all[] | .clusters[]]] | .[0]`, nil},
		{`[foreach .proxies[] as $p (0; . + ($p.clusters | length))]`, nil},
		{`reduce .proxies[] as $p (0; last(range(1e12)))`, nil},
	} {
		f, doc := newStuck(200)
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		start := time.Now()
		_ = mustCompile(t, tc.query, Options{}).Run(ctx, doc, nil, RunOptions{Workers: 16}, func(any) error {
			if tc.stop != nil {
				return tc.stop(cancel)
			}
			return nil
		})
		if n := f.loading.Load(); n != 0 {
			t.Errorf("%s: %d loads when Run returned", tc.query, n)
		}
		if n := goroutines(before); n > before {
			t.Errorf("%s: %d goroutines when Run returned, %d before", tc.query, n, before)
		}
		if d := time.Since(start); d > hung {
			t.Errorf("%s: it took %v", tc.query, d)
		}
		cancel()
	}
}

// TestInvariant7Inside checks a consumer inside the query, such as first. If it needs no
// more results, the workers for it must end while the run continues.
func TestInvariant7Inside(t *testing.T) {
	for _, q := range []string{
		`first(.proxies[] | .i, .clusters[]) | calm`,
		`any(.proxies[]; .i, .clusters[] | true) | calm`,
		`[limit(2; .proxies[] | .i, .i, .clusters[])] | calm`,
		`(label $out | .proxies[] | .i, .clusters[] | break $out), calm`,
		`(try (.proxies[] | .i, .clusters[] | error("x")) catch .) | calm`,
	} {
		f, doc := newStuck(100)
		calm := Native{Name: "calm", Value: func(*Call) (any, error) {
			for range 20000 {
				if f.loading.Load() == 0 {
					return "calm", nil
				}
				time.Sleep(time.Millisecond)
			}
			return "still loading", nil
		}}
		a := askWith(context.Background(), mustCompile(t, q, Options{Natives: []Native{calm}}), doc, RunOptions{Workers: 16})
		if fmt.Sprint(a.out) != `["calm"]` || a.err != nil {
			t.Errorf("%s: %v", q, a)
		}
	}
}

// weighty is a section that doesn't cache its value. The value stays in memory only while
// a reader refers to it.
type weighty struct {
	alive *atomic.Int64
	still *sync.RWMutex // write-locked while the test counts the sections in memory
	i     int
}

func (w *weighty) Pending() bool       { return true }
func (w *weighty) Forced() (any, bool) { return nil, false }
func (w *weighty) Force(ctx context.Context) (any, error) {
	if err := mesh.Enter(ctx); err != nil {
		return nil, err
	}
	w.still.RLock()
	defer w.still.RUnlock()
	w.alive.Add(1)
	out := make([]any, 1000)
	out[0] = w.i
	runtime.AddCleanup(&out[0], func(a *atomic.Int64) { a.Add(-1) }, w.alive)
	return out, nil
}

// TestInvariant9 checks memory. A run may keep in memory only the sections that it is
// evaluating, and those of elements that were parked while the first element waited for a
// load. In this test, a section needs 16 KB.
func TestInvariant9(t *testing.T) {
	const memory, most9 = 16 << 20, 100 + 16<<20/8/16000
	for _, q := range []string{
		`.proxies[] | .clusters | length | look`,
		`.proxies[] | .clusters | look`,
		`[.proxies[] | .clusters[] | select(. == 1)] | length`,
		`[.proxies[] | .clusters[0] | look] | length`,
		`[.proxies[] | .clusters[0:] | look] | length`,
		`[.proxies[].clusters | look] | length`,
		`any(.proxies[]; .clusters | length == 0)`,
		`.proxies | map({i, n: (.clusters | length | look)}) | length`,
		`reduce .proxies[] as $p (0; . + ($p.clusters | length | look))`,
		`[limit(2000; .proxies[] | .clusters | length | look)] | length`,
		`last(.proxies[] | .clusters | look) | length`,
		`add(.proxies[] | .clusters | look | length)`,
	} {
		var alive, looks, most atomic.Int64
		var still sync.RWMutex
		var ps []any
		for i := range 2000 {
			ps = append(ps, mesh.NewObject("Proxy", nil, object.Of("i", i, "clusters", &weighty{&alive, &still, i})))
		}
		look := Native{Name: "look", Value: func(c *Call) (any, error) {
			if looks.Add(1)%400 == 0 {
				still.Lock()
				defer still.Unlock()
				runtime.GC()
				n := alive.Load()
				// cleanups of collected values run in a goroutine of their own, so they may be late
				for i := 0; n > most9 && i < 5000; i++ {
					time.Sleep(time.Millisecond)
					n = alive.Load()
				}
				if n > most.Load() {
					most.Store(n)
				}
			}
			return c.In, nil
		}}
		code := mustCompile(t, q, Options{Natives: []Native{look}})
		runtime.GC()
		err := code.Run(context.Background(), object.Of("proxies", ps), nil, RunOptions{Workers: 8, Memory: memory}, func(any) error { return nil })
		if err != nil || most.Load() > most9 {
			t.Errorf("%s: %d sections were kept, %v", q, most.Load(), err)
		}
	}
}

// TestInvariant10 checks that a value never changes, even for code that reads the value
// during an update.
func TestInvariant10(t *testing.T) {
	input := func() any {
		return object.Of("a", []any{1, 2, object.Of("b", []any{3, 4})}, "c", object.Of("d", 5, "e", []any{6}), "n", nil)
	}
	for _, q := range []string{
		`.a[2].b[0] = 9`, `.a[1:] = [7, 8, 9]`, `.a[:2] |= map(. + 1)`, `(.a[0], .a[1]) |= . + 1`, `del(.a[0, 1], .c.d)`, `del(.a[1:])`,
		`[(.a, .c.e) |= . as $old | $old + [1]]`, `. as $in | (.a[2].b |= . + [5]) | [$in, .]`,
		`[.a[2] | (.b, .b) |= (. as $x | . + [$x])]`, `.. |= .`, `(.. | arrays) |= . + [0]`, `(.a[2], .a[2].b[0]) |= .`,
		`reduce (1, 2, 3) as $i (.; .c.e[$i] = $i)`, `reduce (1, 2, 3) as $i (.; .c.e += [$i])`, `[foreach (1, 2, 3) as $i (.; .c.e[$i] = $i)]`,
		`[.a as $x | $x | (.[0], .[5]) = 1, $x]`, `(.a, .c) = {x: 1} | (.a.x, .c.x) = 2`, `{x: .a, y: .a} | (.x[0], .y[1]) = 0`,
		`. as $in | [paths] as $ps | reduce $ps[] as $p (.; setpath($p; 0)) | [., $in]`, `(.a | .[2].b, .[0]) |= null`, `.a[2].b |= (.[0] = 1 | .[1:] = [])`,
		`(.a[:2], .a[1:]) |= map([.])`, `[.c.e[3, 5] = 1]`, `with_entries(.value |= [.])`, `.a |= (.[2].b[1] = 0 | . + [.[2]])`, `delpaths([["a", 0], ["a", 2, "b", 0], ["c"]])`,
		`(.a[0] |= empty), (.a[] |= empty)`, `del(.. | select(. == 5 or . == 3)?)`, `.a as [$x, $y] | (.a[0], .a[1]) = ($y, $x)`, `to_entries | (.[0].value[0], .[1].key) |= "z" | from_entries`,
		`(.a[1:][0], .a[0]) |= . + 1`, `[.a[1:] |= (.[0] as $v | . + [$v]), .a]`,
		`(.n, .a, .c.d) |= (if type == "array" then [., .] else (numbers // 0) + 1 end)`,
		`{a: [null, 5]} | (.a[0], .a, .a[0][0]) |= (if type == "array" then [., .] else (. // 0) + 1 end)`,
		`{a: {b: {c: 1}}} | (.a.b.c, .a, .a.b.b.c) |= (if type == "object" then {b: ., z: .} else . + 1 end)`,
		`{a: [{c: 1}, 0]} | (.a[0].c, .a, .a[0][0].c) |= (if type == "array" then [., .] else (numbers // 0) + 1 end)`,
		`reduce range(6) as $i ([]; .[$i] = ., .[$i:] = [$i])`, `[limit(4; recurse(.c.e |= . + [length]))]`,
	} {
		in := input()
		got := ask(context.Background(), t, q, in, 1)
		want := askGojq(t, q, input())
		if got.kinds() != want.kinds() {
			t.Errorf("%s: %s\nwant %s", q, got, want)
		}
		if !object.Equal(in, input()) {
			t.Errorf("%s: changed its input to %v", q, in)
		}
	}
}

// TestInvariant10Slices checks that an update of an array doesn't change a slice of it
// that the query has stored. The expected results are jq's, because gojq's are wrong.
func TestInvariant10Slices(t *testing.T) {
	a := ask(context.Background(), t, `{a: [1, 2]} | (.a[0], .a[1:]) |= (if type == "array" then [.] else . + 1 end)`, nil, 1)
	if fmt.Sprint(a.out, a.err) != `[{"a":[2,[2]]}] <nil>` {
		t.Errorf("got %v", a)
	}
}

// TestInvariant12 checks that effects outside of the query, such as messages, occur in
// the same order as in jq.
func TestInvariant12(t *testing.T) {
	f := newFake(20, 0)
	var log []string
	say := func(v any) { log = append(log, fmt.Sprint("debug ", v)) }
	inputs := []any{"a", "b", "c"}
	code := mustCompile(t, `.proxies[:4][] | debug(.i) | .clusters | length | stderr, (try input catch .)`, Options{})
	err := code.Run(context.Background(), f.document(), nil, RunOptions{
		Workers: 64, Debug: say, Stderr: func(v any) { log = append(log, fmt.Sprint("stderr ", v)) },
		Input: func() (any, bool, error) {
			if len(inputs) == 0 {
				return nil, false, nil
			}
			v := inputs[0]
			inputs = inputs[1:]
			log = append(log, fmt.Sprint("input ", v))
			return v, true, nil
		},
	}, func(v any) error { log = append(log, fmt.Sprint("out ", v)); return nil })
	want := "debug 0,stderr 1,out 1,input a,out a,debug 1,stderr 2,out 2,input b,out b,debug 2,stderr 3,out 3,input c,out c,debug 3,stderr 4,out 4,out break"
	if got := strings.Join(log, ","); got != want || err != nil {
		t.Errorf("got %s, %v\nwant %s", got, err, want)
	}
	if most := f.most.Load(); most != 1 || len(f.loaded()) != 4 {
		t.Errorf("%d loads at once, %d in all", most, len(f.loaded()))
	}
	log = nil
	err = mustCompile(t, `.proxies[] | debug(.i) | if .i == 2 then halt else .clusters end | empty`, Options{}).
		Run(context.Background(), newFake(20, 0).document(), nil, RunOptions{Workers: 64, Debug: say}, func(any) error { return nil })
	if _, ok := err.(*values.Halt); !ok || !slices.Equal(log, []string{"debug 0", "debug 1", "debug 2"}) {
		t.Errorf("got %v, %v", log, err)
	}
}

// TestInvariant13 checks that omitting elements that the query doesn't need changes
// nothing else. Errors must occur at the same points, even if the iteration has to be
// started again.
func TestInvariant13(t *testing.T) {
	row := func(name any, v any) any {
		return object.Of("name", name, "v", v, "w", object.Of("z", v))
	}
	odd := []any{row("a", 0), row("b", 1), object.Of("name", "c", "v", 2, "w", 5), row("ab", 3), row("b", 4)}
	nameless := []any{row("a", 0), object.Of("v", 1), row("b", 2), row(nil, 3)}
	for _, tc := range []struct {
		query string
		all   []any
	}{
		{`.x[] | select(.w.z == 9 and .name == "b")`, odd},
		{`.x[] | select(.w.z == 9 or .name == "b")`, odd},
		{`.x[] | select(.name == "b" or .w.z == 9)`, odd},
		{`.x[] | select((.name != "b" or .w.z == 9) | not)`, odd},
		{`.x[] | select((.w.z == 9 or .name != "b") | not)`, odd},
		{`all(.x[]; .name != "b" and .w.z >= 0)`, odd},
		{`all(.x[]; .w.z >= 0 and .name != "b")`, odd},
		{`any(.x[]; .name == "ab" and .w.z == 9)`, odd},
		{`.x[] | .w.z as $z | select(.name == "b")`, odd},
		{`.x[] | select(.name | test("b") | not) | .w.z`, odd},
		{`.x[] | select(.name | test("["))`, odd},
		{`[path(.x[] | select(.name == "b"))]`, odd},
		{`[paths(.name? == "b")]`, odd},
		{`(.x[] | select(.name == "b") | .v) |= 9`, odd},
		{`del(.x[] | select(.name == "b"))`, odd},
		{`[.x[] | select(.name == "b")] | .[1].v`, odd},
		{`.x | to_entries[] | select(.value.name == "b") | .key`, odd},
		{`.x[] | select(.name == "b") | .v`, nameless},
		{`.x[] | select(.name | test("b"))`, nameless},
		{`.x[] | select(.name == "b" or (.name | startswith("c")))`, nameless},
		{`.x[].name | select(contains("b"))`, nameless},
		{`all(.x[]; .name != "b" and .v != 1)`, nameless},
		{`.x[] | select(.name != "b" | not) | .v`, nameless},
	} {
		for more := range 3 {
			x := &narrow{by: "name", all: tc.all, others: func() bool { more++; return more%3 == 0 }}
			got := ask(context.Background(), t, tc.query, object.Of("x", x), 4)
			if want := askGojq(t, tc.query, object.Of("x", tc.all)); got.kinds() != want.kinds() {
				t.Errorf("%s: %s\nwant %s", tc.query, got, want)
			}
		}
	}
	var lazy, plain []any
	for i := range 40 {
		plain = append(plain, object.Of("name", []string{"a", "b"}[i%2], "v", i))
		lazy = append(lazy, object.Of("name", []string{"a", "b"}[i%2], "v", i))
		if i > 9 {
			lazy[i].(*object.Object).Set("v", &lateness{i})
		}
	}
	query := `[.x[] | select(.name == "b") | .v]`
	more := 0
	// the second load of this array returns fewer elements than the first
	x := &narrow{by: "name", all: lazy, others: func() bool { more++; return more < 20 }}
	got := ask(context.Background(), t, query, object.Of("x", x), 4)
	if want := askGojq(t, query, object.Of("x", plain)); got.kinds() != want.kinds() || len(x.asked) != 2 {
		t.Errorf("asked %d times: %s\nwant %s", len(x.asked), got, want)
	}
}
