package store

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// waiting returns a thunk whose load waits for an answer. The load is paused at once,
// waits for the channel answer, and is resumed. Then it runs until done is closed.
func waiting(s *Store, answer, done chan struct{}) *Thunk {
	return alone(s, func(ctx context.Context, _ func(int64)) (any, error) {
		resume := mesh.Pause(ctx)
		select {
		case <-answer:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if err := resume(ctx); err != nil {
			return nil, err
		}
		<-done
		return "answered", nil
	})
}

// asked reads the value of a thunk in a goroutine, and returns a channel that
// receives the value.
func asked(t *testing.T, th *Thunk) chan any {
	got := make(chan any, 1)
	go func() { got <- force(t, th) }()
	synctest.Wait()
	return got
}

func came(got chan any) bool {
	synctest.Wait()
	return len(got) > 0
}

// TestPausedLoadsHoldNoSlot checks that loads that wait long for an answer don't
// keep others from running. When its answer arrives, a paused load gets a slot
// before the loads that haven't begun.
func TestPausedLoadsHoldNoSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(t.Context(), Options{Slots: 1})
		answer, done := make(chan struct{}), make(chan struct{})
		slow := asked(t, waiting(s, answer, done))
		open := make(chan struct{})
		other := asked(t, alone(s, func(context.Context, func(int64)) (any, error) { <-open; return "other", nil }))
		last := asked(t, alone(s, func(context.Context, func(int64)) (any, error) { return "last", nil }))
		close(answer)
		if came(slow) || came(last) {
			t.Error("two loads run in one slot")
		}
		close(open)
		if !came(other) || came(slow) || came(last) {
			t.Error("the load whose answer came doesn't have the slot")
		}
		close(done)
		if !came(slow) || !came(last) {
			t.Error("a load is left")
		}
		if s.slots.running != 0 || s.slots.paused != 0 {
			t.Errorf("at the end %d loads run and %d are paused", s.slots.running, s.slots.paused)
		}
	})
}

func TestPausedLoadsAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(t.Context(), Options{Slots: 2})
		answer, done := make(chan struct{}), make(chan struct{})
		var all []chan any
		for range 20 {
			all = append(all, asked(t, waiting(s, answer, done)))
		}
		if s.slots.running != 2 || s.slots.paused != pausedMost*2 {
			t.Errorf("%d loads run and %d are paused", s.slots.running, s.slots.paused)
		}
		close(answer)
		close(done)
		for _, got := range all {
			<-got
		}
		synctest.Wait()
		if s.slots.running != 0 || s.slots.paused != 0 {
			t.Errorf("at the end %d loads run and %d are paused", s.slots.running, s.slots.paused)
		}
	})
}

// TestPausedLoadsCanBeCanceled checks that a load without waiting callers ends
// while it is paused, and while it waits for a slot again.
func TestPausedLoadsCanBeCanceled(t *testing.T) {
	for _, answered := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := New(t.Context(), Options{Slots: 1})
			answer, open := make(chan struct{}), make(chan struct{})
			ctx, leave := context.WithCancel(t.Context())
			left := make(chan error, 1)
			slow := waiting(s, answer, nil)
			go func() { _, err := slow.Force(ctx); left <- err }()
			synctest.Wait()
			other := asked(t, alone(s, func(context.Context, func(int64)) (any, error) { <-open; return 1, nil }))
			if answered {
				close(answer)
				synctest.Wait()
			}
			leave()
			if err := <-left; !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			close(open)
			<-other
			synctest.Wait()
			if s.slots.running != 0 || s.slots.paused != 0 || len(s.slots.resumed) != 0 {
				t.Errorf("at the end %d loads run and %d are paused", s.slots.running, s.slots.paused)
			}
		})
	}
}

// TestLoadsOfOneAnswerArePausedTogether checks that if several loads wait for the same
// answer, none of them occupies a slot, and the callers of all of them are notified.
func TestLoadsOfOneAnswerArePausedTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(t.Context(), Options{Slots: 3})
		answer := make(chan struct{})
		body := NewShared(s, func(ctx context.Context) (int, error) {
			resume := mesh.Pause(ctx)
			<-answer
			return 7, resume(ctx)
		})
		paused := make(chan int, 3)
		got := make(chan any, 3)
		for i := range 3 {
			th := alone(s, func(ctx context.Context, _ func(int64)) (any, error) { return body.Get(ctx) })
			go func() {
				v, err := th.Force(mesh.WithPaused(t.Context(), func() { paused <- i }))
				if err != nil {
					t.Error(err)
				}
				got <- v
			}()
		}
		synctest.Wait()
		if len(paused) != 3 || s.slots.paused != 3 || s.slots.running != 0 {
			t.Errorf("%d callers were told, %d loads are paused, %d run", len(paused), s.slots.paused, s.slots.running)
		}
		close(answer)
		for range 3 {
			if v := <-got; v != 7 {
				t.Errorf("got %v", v)
			}
		}
		synctest.Wait()
		if s.slots.running != 0 || s.slots.paused != 0 {
			t.Errorf("at the end %d loads run and %d are paused", s.slots.running, s.slots.paused)
		}
	})
}
