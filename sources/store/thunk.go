package store

import (
	"container/list"
	"context"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// Load makes the value of a thunk. It says by grew what the value costs, in
// bytes, as it becomes known: while it loads and, as parts of the value are
// decoded, also after it. grew may be called by several goroutines at once.
// It may run again after an eviction, and must give the same then.
type Load func(ctx context.Context, grew func(bytes int64)) (any, error)

// A Thunk is a value that is loaded when something looks at it: a section.
type Thunk struct {
	store *Store
	load  Load

	// The store's mu guards what follows.
	place  *list.Element // in store.recent, while loaded
	value  any
	err    error // final: the load is not tried again
	cost   int64
	life   int // counts loads, so that a value dropped long ago charges nobody
	flight *flight
}

// Thunk gives a value that load makes.
func (s *Store) Thunk(load Load) *Thunk { return &Thunk{store: s, load: load} }

// Force gives the value, loading it if it isn't there. It passes the gate of
// ctx ([mesh.Enter]) before it waits.
func (t *Thunk) Force(ctx context.Context) (any, error) {
	if v, err, ok := t.look(true); ok {
		return v, err
	}
	if err := mesh.Enter(ctx); err != nil {
		return nil, err
	}
	return t.join().wait(ctx, &t.store.mu)
}

// Forced gives the value if it is loaded.
func (t *Thunk) Forced() (any, bool) {
	v, err, ok := t.look(false)
	return v, ok && err == nil
}

// Pending tells that Force would have to load.
func (t *Thunk) Pending() bool {
	_, _, ok := t.look(false)
	return !ok
}

// Sectional marks a thunk as a section.
func (*Thunk) Sectional() {}

// look gives what is there; ok is false when it has to be loaded.
func (t *Thunk) look(touch bool) (v any, err error, ok bool) {
	s := t.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.place == nil {
		return nil, t.err, t.err != nil
	}
	if touch {
		s.count.Hits++
		s.recent.MoveToFront(t.place)
	}
	return t.value, nil, true
}

// join gives the load under way, or begins one.
func (t *Thunk) join() *flight {
	s := t.store
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case t.place != nil: // loaded while this one stood at the gate
		s.count.Hits++
		s.recent.MoveToFront(t.place)
		return landed(t.value, nil)
	case t.err != nil:
		return landed(nil, t.err)
	case t.flight != nil && t.flight.waiters > 0:
		s.count.Joined++
		t.flight.waiters++
		return t.flight
	}
	t.life++
	f := takeOff(s.base)
	t.flight = f
	go t.fly(f, t.life)
	return f
}

func (t *Thunk) fly(f *flight, life int) {
	v, err := t.run(f.ctx, func(bytes int64) { t.grew(f, life, bytes) })
	t.land(f, v, err)
}

func (t *Thunk) run(ctx context.Context, grew func(int64)) (any, error) {
	release, err := t.store.Slot(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	v, err := t.load(ctx, grew)
	if err != nil {
		return nil, err
	}
	return mesh.Force(ctx, v)
}

// land ends a load: its value goes in front, or its error stays.
func (t *Thunk) land(f *flight, v any, err error) {
	s := t.store
	s.mu.Lock()
	defer s.mu.Unlock()
	mine := t.flight == f // else everybody left it, and another was begun
	if mine {
		t.flight = nil
	}
	switch {
	case err == nil && mine:
		s.count.Loads++
		t.value, t.cost, t.place = v, f.cost, s.recent.PushFront(t)
		s.evict()
	case err == nil || f.ctx.Err() != nil:
		s.count.Canceled++
		s.count.Memory -= f.cost
	default:
		s.count.Failed++
		s.count.Memory -= f.cost
		t.err = err
	}
	f.land(v, err)
}

// grew charges a value that is being loaded to its load, one that is loaded to
// the thunk, and one that was dropped to nobody.
func (t *Thunk) grew(f *flight, life int, bytes int64) {
	s := t.store
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !f.done():
		f.cost += bytes
		s.count.Memory += bytes
		s.count.Peak = max(s.count.Peak, s.count.Memory)
		s.evict()
	case t.place != nil && t.life == life:
		s.charge(t, bytes)
	}
}

// drop forgets the value; who holds it keeps it. Caller holds the store's mu.
func (t *Thunk) drop() {
	t.store.recent.Remove(t.place)
	t.place, t.value, t.cost = nil, nil, 0
}
