package store

import "container/list"

// A Group is a set of thunks that are evicted together, with their common cost.
type Group struct {
	store *Store
	drop  func()

	// The store's mu guards the following fields.
	place  *list.Element // the group's element in store.recent; nil if nothing is loaded
	loaded []*Thunk
	flying int // number of the group's loads that are running
	cost   int64
	shares []*Share // the shares of which the loaded values may use parts
}

// Group returns an empty group. drop, if not nil, is called when the group's values
// are evicted, so that data kept with them can be dropped, too. It must not call the
// store.
func (s *Store) Group(drop func()) *Group { return &Group{store: s, drop: drop} }

// Grew adds a number of bytes to the cost of the group's values. Several goroutines
// may call it at once. Values that were evicted are not counted, even if a caller
// still uses them.
func (g *Group) Grew(bytes int64) {
	s := g.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if g.place == nil && g.flying == 0 {
		return
	}
	g.cost += bytes
	s.grow(bytes)
}

// touch marks the group as the one used last. The caller must hold the store's mu.
func (g *Group) touch() {
	if g.place == nil {
		g.place = g.store.recent.PushFront(g)
	} else {
		g.store.recent.MoveToFront(g.place)
	}
}

// settle resets the cost of a group in which no load succeeded. The caller must hold
// the store's mu.
func (g *Group) settle() {
	if g.place == nil && g.flying == 0 {
		g.empty()
	}
}

// empty drops all values of the group. Callers that have already read a value can
// keep it. The caller must hold the store's mu.
func (g *Group) empty() {
	if g.place != nil {
		g.store.recent.Remove(g.place)
	}
	for _, t := range g.loaded {
		t.value, t.loaded = nil, false
	}
	g.store.count.Memory -= g.cost
	for _, h := range g.shares {
		h.groups--
		h.settle()
	}
	g.place, g.loaded, g.cost, g.shares = nil, nil, 0, nil
	if g.drop != nil {
		g.drop()
	}
}
