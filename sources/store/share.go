package store

// A Share is memory that several groups hold together, such as a table of common
// values, where no part belongs to a particular group. It is counted once, whatever
// the number of groups. It is counted in full as long as any part of it may be in
// use: until it is closed and the last of its groups is emptied. So memory in use is
// never treated as free, and memory that the last group has left is overstated by at
// most the size of the share.
type Share struct {
	store *Store

	// The store's mu guards the following fields.
	cost   int64
	groups int // number of groups that have joined and hold values
	closed bool
}

// Share returns an empty, open share.
func (s *Store) Share() *Share { return &Share{store: s} }

// Join records that the group may from now on hold parts of the share. It does
// nothing for a group without loaded values and running loads, because such a group
// isn't counted at all. The share must be open.
func (g *Group) Join(h *Share) {
	s := g.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if g.place == nil && g.flying == 0 {
		return
	}
	for i := len(g.shares) - 1; i >= 0; i-- { // the share is usually the last one in the list
		if g.shares[i] == h {
			return
		}
	}
	g.shares = append(g.shares, h)
	h.groups++
}

// Grew adds to the size of the share in bytes.
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

// Close ends the joining of groups.
func (h *Share) Close() {
	h.store.mu.Lock()
	defer h.store.mu.Unlock()
	h.closed = true
	h.settle()
}

func (h *Share) over() bool { return h.closed && h.groups == 0 }

// settle subtracts the size of the share when it is no longer in use. The caller
// must hold the store's mu.
func (h *Share) settle() {
	if h.over() {
		h.store.count.Memory -= h.cost
		h.cost = 0
	}
}
