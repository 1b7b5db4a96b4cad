package store

// A Share is memory that several groups hold together, of which nobody knows
// who holds what: a table of values that they have in common. It costs once,
// however many the groups are, and all of it for as long as anybody may hold
// any of it: until it is closed and the last of its groups was emptied. So
// what a group holds of it is never taken for free, and what the last one left
// is counted longer than it is there, by the size of the share at most.
type Share struct {
	store *Store

	// The store's mu guards what follows.
	cost   int64
	groups int // that have joined, and have something loaded
	closed bool
}

// Share gives an empty share, open.
func (s *Store) Share() *Share { return &Share{store: s} }

// Join says that the group may from now on hold something of the share. Of a
// group in which nothing is loaded or being loaded it says nothing: what is
// held of that costs nobody anything. The share must be open.
func (g *Group) Join(h *Share) {
	s := g.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if g.place == nil && g.flying == 0 {
		return
	}
	for i := len(g.shares) - 1; i >= 0; i-- { // mostly the last one
		if g.shares[i] == h {
			return
		}
	}
	g.shares = append(g.shares, h)
	h.groups++
}

// Grew says that the share costs so much more.
func (h *Share) Grew(bytes int64) {
	s := h.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if h.over() {
		return
	}
	h.cost += bytes
	s.grow(bytes)
}

// Close says that nobody joins any more.
func (h *Share) Close() {
	h.store.mu.Lock()
	defer h.store.mu.Unlock()
	h.closed = true
	h.settle()
}

func (h *Share) over() bool { return h.closed && h.groups == 0 }

// settle gives back what the share cost when it is over. Caller holds the
// store's mu.
func (h *Share) settle() {
	if h.over() {
		h.store.count.Memory -= h.cost
		h.cost = 0
	}
}
