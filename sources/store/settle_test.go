package store

import (
	"context"
	"testing"
	"testing/synctest"
)

// TestSettleWaitsForRunningLoads checks that after Close, a running load
// continues until it notices the cancellation. Settle must wait for that, and no
// new load may begin.
func TestSettleWaitsForRunningLoads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(t.Context(), Options{})
		open, reading := make(chan struct{}), false
		read := func(ctx context.Context) (int, error) {
			reading = true
			<-open // the load doesn't check its context here
			reading = false
			return 1, nil
		}
		body := NewShared(s, read)
		th := alone(s, func(ctx context.Context, _ func(int64)) (any, error) { return body.Get(ctx) })
		go th.Force(t.Context())
		synctest.Wait()
		s.Close()
		settled := make(chan struct{})
		go func() { s.Settle(); close(settled) }()
		synctest.Wait()
		select {
		case <-settled:
			t.Error("settled while something read")
		default:
		}
		if _, err := NewShared(s, read).Get(t.Context()); err != context.Canceled {
			t.Errorf("begun after the end: %v", err)
		}
		close(open)
		<-settled
		if reading {
			t.Error("settled while something read")
		}
		s.Settle() // Settle returns at once, since no load is running
	})
}
