package store

// A Share is memory that several groups use together, such as a table of common
// values. It is counted once, regardless of the number of groups, because no part
// of it belongs to a particular group. Its full size is counted until the share
// is closed and the last of its groups is emptied, because a part may be in use
// until then. So memory in use is never counted as free. When few groups are
// left, the counted memory is too high, by at most the size of the share.
type Share struct {
	store *Store

	// The store's mu guards the following fields.
	cost   int64
	groups int // number of groups that have joined the share and have values
	closed bool
}

// Share returns an empty, open share.
func (s *Store) Share() *Share { return &Share{store: s} }

// Join records that the group may use parts of the share from now on. It does
// nothing for a group without loaded values and running loads, because the memory
// of such a group isn't counted. The share must be open.
func (g *Group) Join(h *Share) {
	s := g.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if g.place == nil && g.flying == 0 {
		return
	}
	for i := len(g.shares) - 1; i >= 0; i-- { // search from the end, because the share is usually the last one
		if g.shares[i] == h {
			return
		}
	}
	g.shares = append(g.shares, h)
	h.groups++
}

// Grew adds a number of bytes to the size of the share.
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

// Close closes the share: from now on, no group may join it.
func (h *Share) Close() {
	h.store.mu.Lock()
	defer h.store.mu.Unlock()
	h.closed = true
	h.settle()
}

func (h *Share) over() bool { return h.closed && h.groups == 0 }

// settle subtracts the size of the share from the memory that the store counts,
// if the share is no longer in use. The caller must hold the store's mu.
func (h *Share) settle() {
	if h.over() {
		h.store.count.Memory -= h.cost
		h.cost = 0
	}
}
