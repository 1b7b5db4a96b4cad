package store

import (
	"context"
	"sync"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// Shared is a value that several loads need, such as the bytes of a response. It is
// created once, for the first caller that needs it, and never evicted. It takes no
// slot and doesn't call [mesh.Enter]: the caller of Get must have done that.
type Shared[T any] struct {
	store *Store
	make  func(context.Context) (T, error)

	mu     sync.Mutex
	have   bool
	value  T
	err    error
	flight *flight
	again  int
}

// NewShared returns a Shared whose value the function make creates. An error is
// kept like a value, unless it is the error of a cancellation.
func NewShared[T any](s *Store, make func(context.Context) (T, error)) *Shared[T] {
	return &Shared[T]{store: s, make: make}
}

// Get returns the value. It creates the value if necessary.
func (s *Shared[T]) Get(ctx context.Context) (T, error) {
	s.mu.Lock()
	if s.have {
		s.again++
		defer s.mu.Unlock()
		return s.value, s.err
	}
	f := s.flight
	joined := f != nil && f.waiters > 0
	if joined {
		f.waiters++
		s.again++
	} else {
		f = newFlight(s.store.base)
		s.flight = f
		go s.fly(f, func() func(context.Context) error { return mesh.Pause(ctx) })
	}
	s.mu.Unlock()
	resume := func(context.Context) error { return nil }
	if joined {
		f.whenPaused(ctx, func() { resume = mesh.Pause(ctx) })
	}
	v, err := f.wait(ctx, &s.mu)
	if err == nil {
		err = resume(ctx)
	}
	t, _ := v.(T)
	return t, err
}

// Look returns the value if it has already been created.
func (s *Shared[T]) Look() (v T, err error, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.value, s.err, s.have
}

// Again returns how often Get has returned the existing value.
func (s *Shared[T]) Again() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.again
}

// fly creates the value. pause pauses the load of the first caller.
func (s *Shared[T]) fly(f *flight, pause func() func(context.Context) error) {
	v, err := s.run(mesh.WithPause(f.ctx, func() func(context.Context) error {
		f.pause()
		return pause()
	}))
	s.mu.Lock()
	defer s.mu.Unlock()
	if mine := s.flight == f; mine {
		s.flight = nil
		if err == nil || f.ctx.Err() == nil {
			s.have, s.value, s.err = true, v, err
		}
	}
	f.land(v, err)
}

func (s *Shared[T]) run(ctx context.Context) (v T, err error) {
	if err := s.store.running.begin(); err != nil {
		return v, err
	}
	defer s.store.running.end()
	return s.make(ctx)
}
