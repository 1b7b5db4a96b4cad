package store

import (
	"context"
	"sync"
)

// Shared is something that several loads need: the bytes of an answer. It is
// made once, by whoever needs it first, and never dropped. It takes no slot
// and passes no gate: who calls Get has seen to that.
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

// Look gives the value if it is there.
func (s *Shared[T]) Look() (v T, err error, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.value, s.err, s.have
}

// Again says how often Get gave the value beyond the first time.
func (s *Shared[T]) Again() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.again
}

func (s *Shared[T]) fly(f *flight) {
	v, err := s.run(f.ctx)
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
	if err := s.store.air.begin(); err != nil {
		return v, err
	}
	defer s.store.air.end()
	return s.make(ctx)
}
