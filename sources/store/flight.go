package store

import (
	"context"
	"sync"
)

// A flight is one running load, shared by all callers that wait for it.
type flight struct {
	ctx    context.Context
	cancel context.CancelFunc
	landed chan struct{} // closed when value and err are set
	paused chan struct{} // closed when the load is paused for the first time
	once   sync.Once     // makes sure that paused is closed only once

	value any
	err   error

	waiters int // number of callers that wait; guarded by the mutex of the flight's owner
}

// newFlight returns a new flight with one waiter.
func newFlight(base context.Context) *flight {
	f := &flight{landed: make(chan struct{}), paused: make(chan struct{}), waiters: 1}
	f.ctx, f.cancel = context.WithCancel(base)
	return f
}

// landed returns a flight whose load has already ended.
func landed(v any, err error) *flight {
	f := newFlight(context.Background())
	f.land(v, err)
	return f
}

func (f *flight) land(v any, err error) {
	f.value, f.err = v, err
	f.cancel()
	close(f.landed)
}

// pause records that the load was paused.
func (f *flight) pause() { f.once.Do(func() { close(f.paused) }) }

// whenPaused waits until the load ends or ctx ends. If the load is paused before
// that, it calls do, and then continues to wait.
func (f *flight) whenPaused(ctx context.Context, do func()) {
	select {
	case <-f.landed:
	case <-ctx.Done():
	case <-f.paused:
		do()
	}
}

// wait waits for the result of the load. A caller whose ctx ends stops waiting;
// if it was the last one, the load is canceled.
func (f *flight) wait(ctx context.Context, mu *sync.Mutex) (any, error) {
	select {
	case <-f.landed:
		return f.value, f.err
	default:
	}
	select {
	case <-f.landed:
		return f.value, f.err
	case <-ctx.Done():
		mu.Lock()
		defer mu.Unlock()
		if f.waiters--; f.waiters == 0 {
			f.cancel()
		}
		return nil, ctx.Err()
	}
}

// runningLoads is the set of a store's running loads.
type runningLoads struct {
	mu     sync.Mutex
	flying int
	closed bool
	empty  chan struct{} // closed when no load is running any more; nil if no caller waits for that
}

// begin registers a load that starts to run. If the store is closed, it returns
// the error of a canceled load. end must be called after each successful begin.
func (a *runningLoads) begin() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return context.Canceled
	}
	a.flying++
	return nil
}

func (a *runningLoads) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.flying--; a.flying == 0 && a.empty != nil {
		close(a.empty)
		a.empty = nil
	}
}

func (a *runningLoads) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
}

func (a *runningLoads) settle() {
	a.mu.Lock()
	if a.flying == 0 {
		a.mu.Unlock()
		return
	}
	if a.empty == nil {
		a.empty = make(chan struct{})
	}
	empty := a.empty
	a.mu.Unlock()
	<-empty
}
