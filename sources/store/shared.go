package store

import (
	"context"
	"sync"
)

// Shared is something small that several loads need: the bytes of an answer.
// It is made once, by whoever needs it first, and never dropped. It takes no
// slot and passes no gate: who calls Get inside a load has passed both.
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

// NewShared gives what make makes. An error is kept as the value would be,
// unless it came of a cancellation.
func NewShared[T any](s *Store, make func(context.Context) (T, error)) *Shared[T] {
	return &Shared[T]{store: s, make: make}
}

// Get gives the value, making it if it isn't there.
func (s *Shared[T]) Get(ctx context.Context) (T, error) {
	s.mu.Lock()
	if s.have {
		s.again++
		defer s.mu.Unlock()
		return s.value, s.err
	}
	f := s.flight
	if f != nil && f.waiters > 0 {
		f.waiters++
		s.again++
	} else {
		f = takeOff(s.store.base)
		s.flight = f
		go s.fly(f)
	}
	s.mu.Unlock()
	v, err := f.wait(ctx, &s.mu)
	t, _ := v.(T)
	return t, err
}

// Have tells whether Get costs nothing.
func (s *Shared[T]) Have() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.have
}

// Again says how often the value was given beyond the first time.
func (s *Shared[T]) Again() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.again
}

func (s *Shared[T]) fly(f *flight) {
	v, err := s.make(f.ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.ctx.Err() != nil {
		err = context.Cause(f.ctx)
	} else if s.flight == f {
		s.have, s.value, s.err = true, v, err
	}
	if s.flight == f {
		s.flight = nil
	}
	f.land(v, err)
}
