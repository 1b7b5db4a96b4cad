package store

import "container/list"

// A Group is thunks that are evicted together, and what they cost.
type Group struct {
	store *Store
	drop  func()

	// The store's mu guards what follows.
	place  *list.Element // in store.recent, while anything is loaded
	loaded []*Thunk
	flying int // loads under way
	cost   int64
	shares []*Share // that what is loaded may hold something of
}

// Group gives an empty group. drop, if not nil, is called when its values are
// evicted, to forget what was kept beside them; it must not call the store.
func (s *Store) Group(drop func()) *Group { return &Group{store: s, drop: drop} }

// Grew says that what is loaded in the group costs so much more. It may be
// called by several goroutines at once. What is held of a group that was
// evicted costs nobody anything.
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

// touch puts the group in front. Caller holds the store's mu.
func (g *Group) touch() {
	if g.place == nil {
		g.place = g.store.recent.PushFront(g)
	} else {
		g.store.recent.MoveToFront(g.place)
	}
}

// settle forgets the cost of a group in which nothing came to be loaded.
// Caller holds the store's mu.
func (g *Group) settle() {
	if g.place == nil && g.flying == 0 {
		g.empty()
	}
}

// empty drops all values; who holds one keeps it. Caller holds the store's mu.
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
