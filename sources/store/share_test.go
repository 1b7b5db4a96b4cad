package store

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
)

// joined returns a group and a thunk in that group. When the thunk is loaded, the group
// joins the share that h returns.
func joined(s *Store, h func() *Share, own int64) (*Group, *Thunk) {
	g := s.Group(nil)
	return g, g.Thunk(func(context.Context) (any, error) {
		g.Join(h())
		g.Grew(own)
		return "v", nil
	})
}

// TestShareCostsOnce checks that shared memory is counted once, until the share
// is closed and the last of its groups is emptied.
func TestShareCostsOnce(t *testing.T) {
	s := New(t.Context(), Options{})
	h := s.Share()
	give := func() *Share { return h }
	one, a := joined(s, give, 10)
	two, b := joined(s, give, 20)
	memory := func(want int64) {
		t.Helper()
		if got := s.Counters().Memory; got != want {
			t.Errorf("%d bytes, want %d", got, want)
		}
	}
	empty := func(g *Group) {
		s.mu.Lock()
		defer s.mu.Unlock()
		g.empty()
	}
	force(t, a)
	force(t, b)
	one.Join(h)
	h.Grew(1000)
	memory(1030)
	empty(one)
	memory(1020)
	empty(two)
	memory(1000) // the size is still counted, since another group may join
	force(t, a)
	h.Close()
	h.Grew(100) // a load that is still running may add to the share
	memory(1110)
	empty(one)
	memory(0)
	h.Grew(100) // the share is closed and its groups are emptied, so its growth isn't counted
	memory(0)
	one.Join(s.Share())
	if one.shares != nil {
		t.Error("an empty group has joined")
	}
}

// TestShareUnderABudget checks that groups are evicted to free memory for a
// share, and that a closed share is freed with the last group that joined it.
func TestShareUnderABudget(t *testing.T) {
	s := New(t.Context(), Options{Memory: 1000})
	var now *Share
	var all []*Thunk
	for i := range 20 {
		if i%4 == 0 {
			if now != nil {
				now.Close()
			}
			now = s.Share()
			now.Grew(200)
		}
		_, th := joined(s, func() *Share { return now }, 100)
		force(t, th)
		all = append(all, th)
	}
	c := s.Counters()
	if c.Peak > 1000 {
		t.Errorf("%+v", c)
	}
	var there []bool
	for _, th := range all {
		there = append(there, !th.Pending())
	}
	// The last two shares fit into the budget, with at most 600 bytes of the
	// groups.
	if held := count(there); held < 5 || held > 6 || !there[19] || there[11] {
		t.Errorf("loaded: %v", there)
	}
}

func count(all []bool) (n int) {
	for _, yes := range all {
		if yes {
			n++
		}
	}
	return n
}

// TestSharesOfManyAtOnce checks that after many goroutines have loaded and
// evicted groups, the counted memory is the cost of the groups and of their
// shares. After all groups are emptied, only the open share is counted.
func TestSharesOfManyAtOnce(t *testing.T) {
	s := New(t.Context(), Options{Memory: 5000, Slots: 4})
	var mu sync.Mutex
	now := s.Share()
	var all []*Group
	var thunks []*Thunk
	for range 30 {
		var n atomic.Int64
		g := s.Group(nil)
		th := g.Thunk(func(context.Context) (any, error) {
			mu.Lock()
			if n.Add(1)%3 == 0 {
				now.Close()
				now = s.Share()
			}
			h := now
			g.Join(h)
			mu.Unlock()
			g.Grew(300)
			h.Grew(20)
			return "v", nil
		})
		all, thunks = append(all, g), append(thunks, th)
	}
	var wg sync.WaitGroup
	for w := range 8 {
		r := rand.New(rand.NewPCG(uint64(w), 1))
		wg.Go(func() {
			for range 300 {
				force(t, thunks[r.IntN(len(thunks))])
			}
		})
	}
	wg.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	want, seen := int64(0), map[*Share]bool{now: true}
	for _, g := range all {
		want += g.cost
		for _, h := range g.shares {
			seen[h] = true
		}
	}
	for h := range seen {
		want += h.cost
	}
	if s.count.Memory != want || s.count.Evictions == 0 {
		t.Errorf("%+v, the groups and shares cost %d", s.count, want)
	}
	for _, g := range all {
		g.empty()
	}
	if s.count.Memory != now.cost {
		t.Errorf("%d bytes are left of %d", s.count.Memory, now.cost)
	}
}
