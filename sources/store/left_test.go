package store

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// TestThunkIgnoresALoadThatEverybodyLeft begins a load that continues although
// all its callers have canceled their contexts. Then another load begins. When
// the first load ends, before the second one, its result must be ignored.
func TestThunkIgnoresALoadThatEverybodyLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(t.Context(), Options{})
		open := [3]chan struct{}{1: make(chan struct{}), 2: make(chan struct{})}
		var runs atomic.Int32
		th := alone(s, func(context.Context, func(int64)) (any, error) {
			n := runs.Add(1)
			<-open[n]
			return n, nil
		})
		ctx, leave := context.WithCancel(t.Context())
		go th.Force(ctx)
		synctest.Wait()
		leave()
		synctest.Wait()
		got := make(chan any, 1)
		go func() { got <- force(t, th) }()
		synctest.Wait()
		close(open[1])
		synctest.Wait()
		if c := s.Counters(); !th.Pending() || c.Loads != 0 || c.Canceled != 1 {
			t.Errorf("after the first load: pending %t, %+v", th.Pending(), c)
		}
		close(open[2])
		if v := <-got; v != int32(2) {
			t.Errorf("the second load brought %v", v)
		}
	})
}

func TestSharedIgnoresAFlightThatEverybodyLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(t.Context(), Options{})
		open := [3]chan struct{}{1: make(chan struct{}), 2: make(chan struct{})}
		var runs atomic.Int32
		shared := NewShared(s, func(context.Context) (int32, error) {
			n := runs.Add(1)
			<-open[n]
			return n, nil
		})
		ctx, leave := context.WithCancel(t.Context())
		go shared.Get(ctx)
		synctest.Wait()
		leave()
		synctest.Wait()
		got := make(chan int32, 1)
		go func() { v, _ := shared.Get(t.Context()); got <- v }()
		synctest.Wait()
		close(open[1])
		synctest.Wait()
		if v, _, ok := shared.Look(); ok {
			t.Errorf("the flight that everybody left brought %d", v)
		}
		close(open[2])
		if v := <-got; v != 2 {
			t.Errorf("the second flight brought %d", v)
		}
		if v, _, ok := shared.Look(); v != 2 || !ok {
			t.Errorf("kept %d, %t", v, ok)
		}
	})
}

func TestSharedIsMadeOnceForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(t.Context(), Options{})
		open := make(chan struct{})
		var runs atomic.Int32
		shared := NewShared(s, func(context.Context) (int32, error) {
			<-open
			return runs.Add(1), nil
		})
		for range 5 {
			go shared.Get(t.Context())
		}
		synctest.Wait()
		close(open)
		synctest.Wait()
		if v, err := shared.Get(t.Context()); v != 1 || err != nil || shared.Again() != 5 {
			t.Errorf("%d, %v, again %d times", v, err, shared.Again())
		}
	})
}

// TestContextOfALoadEndsWithIt checks that the context of a load ends when the
// load ends, so that goroutines that the load has started end, too.
func TestContextOfALoadEndsWithIt(t *testing.T) {
	s := New(t.Context(), Options{})
	var of context.Context
	force(t, alone(s, func(ctx context.Context, _ func(int64)) (any, error) {
		of = ctx
		return 1, nil
	}))
	if of.Err() == nil {
		t.Error("the context of a load that is over has not ended")
	}
}
