package store

import (
	"context"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// Load creates the value of a thunk. It reports the cost of the value to the thunk's
// group as soon as the cost is known: during the load and, if parts of the value are
// decoded later, also afterwards. Load may be called again after an eviction and
// must then return the same value.
type Load func(ctx context.Context) (any, error)

// A Thunk is a value that is loaded when it is first read: a section of the
// document.
type Thunk struct {
	group *Group
	load  Load

	// The store's mu guards the following fields.
	loaded bool
	value  any
	err    error // the error of the load, which isn't retried
	flight *flight
}

// Thunk returns a new value in the group. The function load creates it when it
// is first read.
func (g *Group) Thunk(load Load) *Thunk { return &Thunk{group: g, load: load} }

// Force returns the value. It loads the value if necessary, and calls [mesh.Enter]
// before it waits.
func (t *Thunk) Force(ctx context.Context) (any, error) {
	if v, err, ok := t.look(true); ok {
		return v, err
	}
	if err := mesh.Enter(ctx); err != nil {
		return nil, err
	}
	f := t.join()
	f.whenPaused(ctx, func() { mesh.Paused(ctx) })
	return f.wait(ctx, &t.group.store.mu)
}

// Forced returns the value if it is loaded.
func (t *Thunk) Forced() (any, bool) {
	v, err, ok := t.look(false)
	return v, ok && err == nil
}

// Pending reports whether Force would have to load the value.
func (t *Thunk) Pending() bool {
	_, _, ok := t.look(false)
	return !ok
}

// Sectional marks a thunk as a section.
func (*Thunk) Sectional() {}

// look returns the value, or the error if the load isn't retried. ok is false
// if the value must be loaded.
func (t *Thunk) look(touch bool) (v any, err error, ok bool) {
	s := t.group.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if !t.loaded {
		return nil, t.err, t.err != nil
	}
	if touch {
		s.count.Hits++
		t.group.touch()
	}
	return t.value, nil, true
}

// join returns the running load. If there is none, it begins one.
func (t *Thunk) join() *flight {
	s := t.group.store
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case t.loaded: // another caller loaded the value while this one waited in mesh.Enter
		s.count.Hits++
		t.group.touch()
		return landed(t.value, nil)
	case t.err != nil:
		return landed(nil, t.err)
	case t.flight != nil && t.flight.waiters > 0:
		s.count.Joined++
		t.flight.waiters++
		return t.flight
	}
	f := newFlight(s.base)
	t.flight = f
	t.group.flying++
	go t.fly(f)
	return f
}

func (t *Thunk) fly(f *flight) {
	v, err := t.run(f)
	t.land(f, v, err)
}

func (t *Thunk) run(f *flight) (any, error) {
	if err := t.group.store.running.begin(); err != nil {
		return nil, err
	}
	defer t.group.store.running.end()
	ctx, release, err := t.group.store.slot(f.ctx, f.pause)
	if err != nil {
		return nil, err
	}
	defer release()
	v, err := t.load(ctx)
	if err != nil {
		return nil, err
	}
	return mesh.Force(ctx, v)
}

// land ends a load: it stores the value or the error.
func (t *Thunk) land(f *flight, v any, err error) {
	g, s := t.group, t.group.store
	s.mu.Lock()
	defer s.mu.Unlock()
	g.flying--
	mine := t.flight == f // false if all callers have left this load and another one was begun
	if mine {
		t.flight = nil
	}
	switch {
	case err == nil && mine:
		s.count.Loads++
		t.value, t.loaded = v, true
		g.loaded = append(g.loaded, t)
		g.touch()
	case err == nil || f.ctx.Err() != nil:
		s.count.Canceled++
	default:
		s.count.Failed++
		t.err = err
	}
	g.settle()
	s.evict()
	f.land(v, err)
}
