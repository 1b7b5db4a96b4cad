package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

var _ mesh.Sectional = (*Thunk)(nil)

// alone returns a thunk in a new group that contains nothing else.
func alone(s *Store, load func(ctx context.Context, grew func(int64)) (any, error)) *Thunk {
	g := s.Group(nil)
	return g.Thunk(func(ctx context.Context) (any, error) { return load(ctx, g.Grew) })
}

// sized returns a thunk whose value is a string with the given cost. It counts
// in runs how often the value is loaded.
func sized(s *Store, v string, cost int64, runs *atomic.Int32) *Thunk {
	return alone(s, func(_ context.Context, grew func(int64)) (any, error) {
		runs.Add(1)
		grew(cost)
		return v, nil
	})
}

func force(t *testing.T, l mesh.Lazy) any {
	t.Helper()
	v, err := l.Force(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestLoadsOnceForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(t.Context(), Options{})
		var runs atomic.Int32
		open := make(chan struct{})
		th := alone(s, func(context.Context, func(int64)) (any, error) {
			runs.Add(1)
			<-open
			return "v", nil
		})
		if !th.Pending() {
			t.Error("not pending before the load")
		}
		if _, ok := th.Forced(); ok {
			t.Error("forced before the load")
		}
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				if v := force(t, th); v != "v" {
					t.Errorf("got %v", v)
				}
			})
		}
		synctest.Wait()
		close(open)
		wg.Wait()
		force(t, th)
		if th.Pending() {
			t.Error("pending after the load")
		}
		if v, ok := th.Forced(); v != "v" || !ok {
			t.Errorf("forced: %v %v", v, ok)
		}
		c := s.Counters()
		if runs.Load() != 1 || c.Loads != 1 || c.Joined != 49 || c.Hits != 1 {
			t.Errorf("runs %d, counters %+v", runs.Load(), c)
		}
	})
}

func TestLastWaiterCancels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(t.Context(), Options{})
		var begun, ended atomic.Int32
		th := alone(s, func(ctx context.Context, _ func(int64)) (any, error) {
			begun.Add(1)
			<-ctx.Done()
			ended.Add(1)
			return nil, ctx.Err()
		})
		one, leaveOne := context.WithCancel(t.Context())
		two, leaveTwo := context.WithCancel(t.Context())
		errs := make(chan error, 2)
		for _, ctx := range []context.Context{one, two} {
			go func() {
				_, err := th.Force(ctx)
				errs <- err
			}()
		}
		synctest.Wait()
		leaveOne()
		if err := <-errs; !errors.Is(err, context.Canceled) {
			t.Errorf("first waiter: %v", err)
		}
		synctest.Wait()
		if ended.Load() != 0 {
			t.Fatal("canceled while one still waited")
		}
		leaveTwo()
		<-errs
		synctest.Wait()
		if begun.Load() != 1 || ended.Load() != 1 {
			t.Errorf("begun %d, ended %d", begun.Load(), ended.Load())
		}
		if c := s.Counters(); c.Canceled != 1 || c.Failed != 0 {
			t.Errorf("%+v", c)
		}
		if !th.Pending() {
			t.Error("a canceled load left something")
		}
	})
}

func TestLoadThatWasLeftStartsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(t.Context(), Options{})
		var runs atomic.Int32
		slow := make(chan struct{})
		th := alone(s, func(_ context.Context, grew func(int64)) (any, error) {
			n := runs.Add(1)
			grew(100)
			if n == 1 {
				<-slow // the load ignores the cancellation of its context
			}
			return n, nil
		})
		ctx, leave := context.WithCancel(t.Context())
		go th.Force(ctx)
		synctest.Wait()
		leave()
		synctest.Wait()
		if v := force(t, th); v != int32(2) {
			t.Errorf("got %v, want the second load's", v)
		}
		close(slow)
		synctest.Wait()
		if v := force(t, th); v != int32(2) {
			t.Errorf("got %v: the abandoned load took over", v)
		}
		if c := s.Counters(); c.Loads != 1 || c.Canceled != 1 {
			t.Errorf("%+v", c)
		}
	})
}

func TestErrorsAreNotRetried(t *testing.T) {
	s := New(t.Context(), Options{})
	boom, runs := errors.New("boom"), 0
	th := alone(s, func(_ context.Context, grew func(int64)) (any, error) {
		runs++
		grew(7)
		return nil, boom
	})
	for range 3 {
		if _, err := th.Force(t.Context()); err != boom {
			t.Fatalf("got %v", err)
		}
	}
	if c := s.Counters(); runs != 1 || c.Failed != 1 || c.Memory != 0 {
		t.Errorf("runs %d, %+v", runs, c)
	}
	if th.Pending() {
		t.Error("pending: the error is known")
	}
	if _, ok := th.Forced(); ok {
		t.Error("forced, with an error")
	}
}

func TestSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const slots = 3
		s := New(t.Context(), Options{Slots: slots})
		var now, most atomic.Int32
		open := make(chan struct{})
		var wg sync.WaitGroup
		for range 20 {
			th := alone(s, func(context.Context, func(int64)) (any, error) {
				most.Store(max(most.Load(), now.Add(1)))
				<-open
				now.Add(-1)
				return true, nil
			})
			wg.Go(func() { force(t, th) })
		}
		synctest.Wait()
		if now.Load() != slots {
			t.Errorf("%d loads at once, want %d", now.Load(), slots)
		}
		close(open)
		wg.Wait()
		if most.Load() != slots {
			t.Errorf("most at once: %d", most.Load())
		}
	})
}

// TestSharedInsideLoads checks that a load that waits for a shared value
// doesn't need a second slot.
func TestSharedInsideLoads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(t.Context(), Options{Slots: 1})
		makes := 0
		body := NewShared(s, func(context.Context) (string, error) {
			makes++
			return "body", nil
		})
		var wg sync.WaitGroup
		for range 4 {
			th := alone(s, func(ctx context.Context, _ func(int64)) (any, error) { return body.Get(ctx) })
			wg.Go(func() {
				if v := force(t, th); v != "body" {
					t.Errorf("got %v", v)
				}
			})
		}
		wg.Go(func() {
			ctx, release, err := s.Slot(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			defer release()
			if v, err := body.Get(ctx); v != "body" || err != nil {
				t.Errorf("got %v, %v", v, err)
			}
		})
		wg.Wait()
		if makes != 1 || body.Again() != 4 {
			t.Errorf("made %d times, given again %d times", makes, body.Again())
		}
	})
}

func TestSharedCanceledIsMadeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(t.Context(), Options{})
		makes := 0
		body := NewShared(s, func(ctx context.Context) (int, error) {
			if makes++; makes == 1 {
				<-ctx.Done()
				return 0, ctx.Err()
			}
			return makes, errors.New("not in the snapshot")
		})
		ctx, leave := context.WithCancel(t.Context())
		go body.Get(ctx)
		synctest.Wait()
		leave()
		synctest.Wait()
		for range 2 {
			if _, err := body.Get(t.Context()); err == nil || err.Error() != "not in the snapshot" {
				t.Errorf("got %v", err)
			}
		}
		if makes != 2 {
			t.Errorf("made %d times", makes)
		}
	})
}

func TestBudget(t *testing.T) {
	s := New(t.Context(), Options{Memory: 100})
	var runs [4]atomic.Int32
	var th [4]*Thunk
	for i := range th {
		th[i] = sized(s, fmt.Sprint(i), 40, &runs[i])
	}
	force(t, th[0])
	force(t, th[1])
	force(t, th[0]) // now the group of th[1] was used longest ago
	force(t, th[2])
	if th[0].Pending() || !th[1].Pending() || th[2].Pending() {
		t.Errorf("pending: %v %v %v", th[0].Pending(), th[1].Pending(), th[2].Pending())
	}
	if v := force(t, th[1]); v != "1" || runs[1].Load() != 2 {
		t.Errorf("evicted: got %v after %d runs", v, runs[1].Load())
	}
	c := s.Counters()
	if c.Memory != 80 || c.Evictions != 2 || c.Peak != 80 {
		t.Errorf("%+v", c)
	}
}

// TestManyGroupsHaveASmallerBudget checks that the budget is smaller if there
// are many groups.
func TestManyGroupsHaveASmallerBudget(t *testing.T) {
	s := New(t.Context(), Options{Memory: 100, Many: 3})
	var runs [8]atomic.Int32
	var th [8]*Thunk
	for i := range th {
		th[i] = sized(s, fmt.Sprint(i), 20, &runs[i])
	}
	for i, want := range []int64{20, 40, 60, 60, 60} { // the fourth load evicts the first group, which leaves few groups again
		force(t, th[i])
		if c := s.Counters(); c.Memory != want {
			t.Errorf("with %d: %+v", i+1, c)
		}
	}
	for i := range 30 {
		small := sized(s, "small", 1, &runs[7])
		force(t, small)
		if c := s.Counters(); c.Memory > 63 || i > 2 && c.Memory > 12 {
			t.Errorf("after %d small ones: %+v", i+1, c)
		}
	}
}

func TestLargerThanTheBudget(t *testing.T) {
	s := New(t.Context(), Options{Memory: 100})
	var runs atomic.Int32
	big := sized(s, "big", 500, &runs)
	for range 3 {
		if v := force(t, big); v != "big" {
			t.Errorf("got %v", v)
		}
	}
	if runs.Load() != 1 {
		t.Errorf("loaded %d times while it was the last one touched", runs.Load())
	}
	force(t, sized(s, "small", 1, &runs))
	if !big.Pending() {
		t.Error("still there, over the budget")
	}
}

func TestGrowthAfterTheLoad(t *testing.T) {
	s := New(t.Context(), Options{Memory: 100})
	var later func(int64)
	a := alone(s, func(_ context.Context, grew func(int64)) (any, error) {
		later = grew
		grew(10)
		return "a", nil
	})
	var runs atomic.Int32
	b := sized(s, "b", 10, &runs)
	force(t, a)
	force(t, b)
	later(50)
	if c := s.Counters(); c.Memory != 70 || a.Pending() {
		t.Errorf("%+v", c)
	}
	later(50) // a is evicted although it was a that grew, since b was used last
	if c := s.Counters(); c.Memory != 10 || !a.Pending() || b.Pending() {
		t.Errorf("%+v", c)
	}
	later(50) // the growth of an evicted value doesn't count, although a reader may still use it
	if c := s.Counters(); c.Memory != 10 {
		t.Errorf("%+v", c)
	}
}

// TestGroupIsEvictedAsAWhole checks that the thunks of a group are evicted
// together, and that drop is called.
func TestGroupIsEvictedAsAWhole(t *testing.T) {
	s := New(t.Context(), Options{Memory: 100})
	drops := 0
	g := s.Group(func() { drops++ })
	var th [3]*Thunk
	for i := range th {
		th[i] = g.Thunk(func(context.Context) (any, error) {
			if i == 2 {
				return nil, errors.New("no")
			}
			g.Grew(20)
			return i, nil
		})
	}
	force(t, th[0])
	force(t, th[1])
	if _, err := th[2].Force(t.Context()); err == nil || drops != 0 {
		t.Errorf("%v, %d drops", err, drops)
	}
	var runs atomic.Int32
	other := sized(s, "other", 70, &runs)
	force(t, other)
	c := s.Counters()
	if !th[0].Pending() || !th[1].Pending() || drops != 1 || c.Memory != 70 || c.Evictions != 1 {
		t.Errorf("%d drops, %+v", drops, c)
	}
	if th[2].Pending() {
		t.Error("an error was forgotten")
	}
	if v := force(t, th[1]); v != 1 || !th[0].Pending() || other.Pending() {
		t.Errorf("got %v", v)
	}
}

// TestFailedLoadIsNotCounted checks that the memory of a failed load is not
// counted, and that drop is called.
func TestFailedLoadIsNotCounted(t *testing.T) {
	s := New(t.Context(), Options{})
	drops := 0
	g := s.Group(func() { drops++ })
	th := g.Thunk(func(context.Context) (any, error) {
		g.Grew(7)
		return nil, errors.New("no")
	})
	if _, err := th.Force(t.Context()); err == nil || drops != 1 || s.Counters().Memory != 0 {
		t.Errorf("%v, %d drops, %+v", err, drops, s.Counters())
	}
}

func TestLoadingGroupsAreNotEvicted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(t.Context(), Options{Memory: 100})
		open := make(chan struct{})
		slow := alone(s, func(_ context.Context, grew func(int64)) (any, error) {
			grew(90)
			<-open
			return "slow", nil
		})
		done := make(chan any)
		go func() { done <- force(t, slow) }()
		synctest.Wait()
		var runs atomic.Int32
		a, b := sized(s, "a", 30, &runs), sized(s, "b", 30, &runs)
		force(t, a)
		force(t, b)
		if !a.Pending() || b.Pending() {
			t.Error("what loads counts, and what is loaded makes room for it")
		}
		close(open)
		if v := <-done; v != "slow" || slow.Pending() {
			t.Errorf("got %v", v)
		}
	})
}

func TestForcePassesTheGate(t *testing.T) {
	s := New(t.Context(), Options{})
	th := alone(s, func(context.Context, func(int64)) (any, error) { return 1, nil })
	shut, asked := errors.New("shut"), 0
	ctx := mesh.WithGate(t.Context(), func(context.Context) error {
		asked++
		return shut
	})
	if _, err := th.Force(ctx); err != shut {
		t.Errorf("got %v", err)
	}
	force(t, th)
	if v, err := th.Force(ctx); v != 1 || err != nil || asked != 1 {
		t.Errorf("loaded: %v %v; the gate was asked %d times", v, err, asked)
	}
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(t.Context(), Options{})
		loaded := alone(s, func(context.Context, func(int64)) (any, error) { return 1, nil })
		force(t, loaded)
		hangs := alone(s, func(ctx context.Context, _ func(int64)) (any, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})
		errs := make(chan error)
		go func() {
			_, err := hangs.Force(t.Context())
			errs <- err
		}()
		synctest.Wait()
		s.Close()
		if err := <-errs; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		force(t, loaded)
	})
}

// TestConcurrentReadersUnderABudget lets many workers read a few thunks and
// cancel some of the reads at random. The budget is enough for a third of the
// values. Every read must return the correct value, and the counters must be
// correct at the end.
func TestConcurrentReadersUnderABudget(t *testing.T) {
	s := New(t.Context(), Options{Memory: 40, Slots: 4})
	th := make([]*Thunk, 12)
	for i := range th {
		th[i] = alone(s, func(ctx context.Context, grew func(int64)) (any, error) {
			grew(4)
			if i%5 == 4 {
				return nil, fmt.Errorf("no %d", i)
			}
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			grew(6)
			return i, nil
		})
	}
	var wg sync.WaitGroup
	for seed := range uint64(16) {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(seed, 1))
			for range 400 {
				i := r.IntN(len(th))
				ctx, cancel := context.WithCancel(t.Context())
				if r.IntN(3) == 0 {
					go cancel()
				}
				v, err := th[i].Force(ctx)
				cancel()
				switch {
				case errors.Is(err, context.Canceled):
				case i%5 == 4 && err == nil, i%5 != 4 && (err != nil || v != i):
					t.Errorf("%d: got %v, %v", i, v, err)
				}
			}
		})
	}
	wg.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	var held, all int64
	for e := s.recent.Front(); e != nil; e = e.Next() {
		held += e.Value.(*Group).cost
	}
	flying := 0
	for _, x := range th {
		all += x.group.cost
		flying += x.group.flying
	}
	if s.count.Memory != all || flying == 0 && (held != all || held > 40) {
		t.Errorf("held %d of %d, counted %d, %d flying", held, all, s.count.Memory, flying)
	}
}
