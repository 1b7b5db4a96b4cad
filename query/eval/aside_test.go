package eval

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/query/ahead"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// halting is a mesh for tests. The loads of some of its sections wait until the test
// releases them.
type halting struct {
	release         map[int]chan struct{}
	loading, loaded atomic.Int32
	most            atomic.Int32
	value           func(i int) any
	pauses          bool // whether a load that waits counts as paused (see mesh.Pause)
}

type haltingSection struct {
	*halting
	i int
}

func newHalting(n int, halts ...int) (*halting, any) {
	f := &halting{release: map[int]chan struct{}{}, value: func(i int) any { return []any{i} }}
	for _, i := range halts {
		f.release[i] = make(chan struct{})
	}
	var ps []any
	for i := range n {
		ps = append(ps, mesh.NewObject("Proxy", nil, object.Of("i", i, "clusters", &haltingSection{f, i})))
	}
	return f, object.Of("proxies", ps)
}

func (s *haltingSection) Pending() bool       { return true }
func (s *haltingSection) Forced() (any, bool) { return nil, false }
func (s *haltingSection) Force(ctx context.Context) (any, error) {
	if err := mesh.Enter(ctx); err != nil {
		return nil, err
	}
	n := s.loading.Add(1)
	defer s.loading.Add(-1)
	for most := s.most.Load(); n > most && !s.most.CompareAndSwap(most, n); most = s.most.Load() {
	}
	if c := s.release[s.i]; c != nil {
		if s.pauses {
			mesh.Paused(ctx)
		}
		select {
		case <-c:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	s.loaded.Add(1)
	return s.value(s.i), nil
}

// reaches waits until n equals want. It returns false if that takes too long.
func reaches(n *atomic.Int32, want int) bool {
	for range 20000 {
		if int(n.Load()) == want {
			return true
		}
		time.Sleep(time.Millisecond)
	}
	return false
}

// TestPausedLoadsNeedNoPermit checks that paused loads don't use up the permits to load.
// More sections than there are permits never answer, and their loads are paused. All
// other sections must be loaded without a delay.
func TestPausedLoadsNeedNoPermit(t *testing.T) {
	var halts []int
	for i := range 40 {
		halts = append(halts, 3*i)
	}
	for _, q := range []string{
		`.proxies[] | .clusters | length`,
		`[.proxies[] | (.clusters, .clusters)[]] | length`,
		`.proxies as $all | ("a", "b") | [$all[] | .clusters[0]] | add`,
	} {
		f, doc := newHalting(400, halts...)
		f.pauses = true
		got := make(chan *answer)
		go func() {
			got <- askWith(context.Background(), mustCompile(t, q, Options{}), doc, RunOptions{Workers: 8, All: true})
		}()
		if !reaches(&f.loading, len(halts)) {
			t.Errorf("%s: %d of %d are waited for at once", q, f.loading.Load(), len(halts))
		}
		for _, i := range halts {
			close(f.release[i])
		}
		plain, doc := newHalting(400)
		want := askWith(context.Background(), mustCompile(t, q, Options{}), doc, RunOptions{Workers: 1})
		if a := <-got; a.String() != want.String() || plain.most.Load() != 1 {
			t.Errorf("%s: %.300s\nwant %.300s", q, a, want)
		}
	}
}

// TestInvariant6Aside checks that a section that never answers delays no other section.
// All other sections must be loaded in the meantime, within the limits. The sections that
// don't answer must time out at the same time.
func TestInvariant6Aside(t *testing.T) {
	for _, tc := range []struct {
		query string
		n     int
		halts []int
	}{
		{`.proxies[] | .clusters | length`, 3000, []int{0, 1, 2}},
		{`.proxies[] | .clusters | length`, 600, []int{0, 90, 300, 301, 450, 598, 599}},
		{`[.proxies[].clusters[]] | length`, 600, []int{0, 90, 300}},
		{`.proxies[] | .clusters[] | range(700) | . * 2`, 200, []int{0, 50}},
		{`.proxies[] | .nofield, .clusters[0]`, 600, []int{0, 90, 300}},
		{`.proxies as $all | ("a", "b") | [$all[] | .clusters[0]] | add`, 200, []int{0, 50}},
		{`reduce .proxies[] as $p (0; . + ($p.clusters | length))`, 60, []int{0, 1, 40}},
		{`foreach .proxies[] as $p (0; . + ($p.clusters | add); .)`, 60, []int{0, 20, 50, 59}},
	} {
		code := mustCompile(t, tc.query, Options{FieldHint: func(_, field string) string { return field }})
		plain, doc := newHalting(tc.n)
		want := askWith(context.Background(), code, doc, RunOptions{Workers: 1})
		f, doc := newHalting(tc.n, tc.halts...)
		got := make(chan *answer)
		go func() { got <- askWith(context.Background(), code, doc, RunOptions{Workers: 8}) }()
		loads := tc.n - len(tc.halts)
		waiting := len(tc.halts)
		if strings.Contains(tc.query, "each .proxies") || strings.Contains(tc.query, "reduce") {
			waiting++ // in addition to a worker, the consumer itself waits for this section
		}
		if !reaches(&f.loaded, loads) || !reaches(&f.loading, waiting) {
			t.Errorf("%s: %d of %d loaded, %d of %d waited for", tc.query, f.loaded.Load(), loads, f.loading.Load(), waiting)
		}
		for _, i := range slices.Backward(tc.halts) {
			close(f.release[i])
		}
		a := <-got
		if a.String() != want.String() || fmt.Sprint(a.notes) != fmt.Sprint(want.notes) {
			t.Errorf("%s: %.300s\nwant %.300s", tc.query, a, want)
		}
		if most := f.most.Load(); most > 9 { // the limit is 8 for the workers, and the consumer may load one more
			t.Errorf("%s: %d loads at once", tc.query, most)
		}
		if plain.loaded.Load() < int32(tc.n) {
			t.Errorf("%s loads %d", tc.query, plain.loaded.Load())
		}
	}
}

// TestInvariant7Aside checks that the end of a run also ends all goroutines that wait for
// a section that never loads.
func TestInvariant7Aside(t *testing.T) {
	before := runtime.NumGoroutine()
	for _, q := range []string{`.proxies[] | .clusters[] | range(700)`, `reduce .proxies[] as $p (0; . + ($p.clusters | length))`} {
		f, doc := newHalting(60, 0, 30)
		ctx, cancel := context.WithCancel(context.Background())
		got := make(chan *answer)
		go func() { got <- askWith(ctx, mustCompile(t, q, Options{}), doc, RunOptions{Workers: 8}) }()
		if !reaches(&f.loaded, 58) {
			t.Errorf("%s: %d loaded", q, f.loaded.Load())
		}
		cancel()
		if a := <-got; !errors.Is(a.err, context.Canceled) || len(a.out) > 0 {
			t.Errorf("%s: %v", q, a)
		}
		if n := goroutines(before); n > before {
			t.Errorf("%s: %d goroutines when Run returned, %d before", q, n, before)
		}
	}
}

// TestInvariant5Slow checks that a slow consumer also slows the workers. The number of
// elements that are evaluated before the consumer needs them must not exceed the number
// that may load at the same time.
func TestInvariant5Slow(t *testing.T) {
	all := make([]int, 200)
	for i := range all {
		all[i] = i
	}
	for q, first := range map[string]int{
		`.proxies[] | .clusters[]`:                                    ahead.FirstLoads,
		`foreach .proxies[] as $p (0; . + ($p.clusters | length); .)`: ahead.FirstLoads + 1, // the consumer may load one element in addition to the workers
	} {
		f, doc := newHalting(len(all), all...)
		enough := errors.New("enough")
		got := make(chan error)
		go func() {
			got <- mustCompile(t, q, Options{}).Run(context.Background(), doc, nil, RunOptions{Workers: 8}, func(any) error {
				for i := range all[1:] {
					close(f.release[i+1])
				}
				if n := settle(&f.loaded, 1); n > 2*ahead.FirstLoads {
					t.Errorf("%s: %d loaded for a consumer that is at the first", q, n)
				}
				return enough
			})
		}()
		if !reaches(&f.loading, first) {
			t.Errorf("%s: %d load at first", q, f.loading.Load())
		}
		close(f.release[0])
		if err := <-got; err != enough {
			t.Errorf("%s: %v", q, err)
		}
	}
}

// TestInvariant9Aside checks that the number of parked elements, and the memory that they
// use, are limited.
func TestInvariant9Aside(t *testing.T) {
	code := mustCompile(t, `.proxies[] | .clusters`, Options{})
	f, doc := newHalting(400, 0)
	f.value = func(int) any { return strings.Repeat("x", 1<<20) }
	runtime.GC()
	got, results := make(chan error), 0
	go func() {
		got <- code.Run(context.Background(), doc, nil, RunOptions{Workers: 8, Memory: 256 << 20, Finish: finishDeep}, func(any) error { results++; return nil })
	}()
	for range 2000 { // repeated, because garbage collection may take a while
		if f.loaded.Load() > 8 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if n := settle(&f.loaded, 9); n < 9 || n > 32+2*8 {
		t.Errorf("%d results of 1 MiB wait, where an eighth of 256 MiB may", n)
	}
	close(f.release[0])
	if err := <-got; err != nil || results != 400 {
		t.Errorf("%d results, %v", results, err)
	}
	f, doc = newHalting(ahead.MaxAside+2000, 0)
	go func() {
		got <- mustCompile(t, `.proxies[] | .clusters | length`, Options{}).Run(context.Background(), doc, nil, RunOptions{Workers: 8}, func(any) error { return nil })
	}()
	if !reaches(&f.loaded, ahead.MaxAside-1) {
		t.Errorf("%d are set aside, want %d", f.loaded.Load(), ahead.MaxAside-1)
	}
	if n := settle(&f.loaded, ahead.MaxAside-1); n != ahead.MaxAside-1 {
		t.Errorf("%d are set aside, want %d", n, ahead.MaxAside-1)
	}
	close(f.release[0])
	if err := <-got; err != nil {
		t.Error(err)
	}
	f, doc = newHalting(400, 0)
	go func() {
		got <- mustCompile(t, `reduce .proxies[] as $p (0; . + ($p.clusters | length))`, Options{}).
			Run(context.Background(), doc, nil, RunOptions{Workers: 4}, func(any) error { return nil })
	}()
	if n := settle(&f.loaded, ahead.ScoutsAside*4); n < ahead.ScoutsAside*4 || n > (ahead.ScoutsAside+1)*4 {
		t.Errorf("scouts have loaded %d", n)
	}
	close(f.release[0])
	if err := <-got; err != nil {
		t.Error(err)
	}
}
