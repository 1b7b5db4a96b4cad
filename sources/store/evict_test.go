package store

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// TestEvictKeepsLoadingGroups checks that a group with a running load stays, even
// if it uses more than the budget and was used longest ago. Other groups are
// evicted.
func TestEvictKeepsLoadingGroups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(t.Context(), Options{Memory: 250})
		g := s.Group(nil)
		open := make(chan struct{})
		first := g.Thunk(func(context.Context) (any, error) { g.Grew(100); return 1, nil })
		second := g.Thunk(func(context.Context) (any, error) { <-open; return 2, nil })
		force(t, first)
		go second.Force(t.Context())
		synctest.Wait()
		var runs atomic.Int32
		var others []*Thunk
		for range 4 {
			th := sized(s, "v", 100, &runs)
			force(t, th)
			others = append(others, th)
		}
		if first.Pending() {
			t.Error("a group in which something loads was evicted")
		}
		if !others[0].Pending() || others[3].Pending() {
			t.Errorf("of the others the first is pending: %t, the last: %t", others[0].Pending(), others[3].Pending())
		}
		close(open)
	})
}

// TestJoinTouchesTheGroup checks that a group counts as used if another reader
// loads its value while this reader waits in mesh.Enter.
func TestJoinTouchesTheGroup(t *testing.T) {
	s := New(t.Context(), Options{Memory: 250})
	var runs atomic.Int32
	a, b, c := sized(s, "a", 100, &runs), sized(s, "b", 100, &runs), sized(s, "c", 100, &runs)
	force(t, a)
	force(t, b)
	if v, err := a.join().wait(t.Context(), &s.mu); v != "a" || err != nil {
		t.Fatal(v, err)
	}
	force(t, c)
	if a.Pending() || !b.Pending() {
		t.Errorf("a is pending: %t, b: %t; b was touched longest ago", a.Pending(), b.Pending())
	}
}

func TestCloseOfAShareNobodyHoldsGivesItsMemoryBack(t *testing.T) {
	s := New(t.Context(), Options{})
	h := s.Share()
	h.Grew(100)
	h.Close()
	if n := s.Counters().Memory; n != 0 {
		t.Errorf("%d bytes", n)
	}
}

func TestGroupJoinsEachShareOnce(t *testing.T) {
	s := New(t.Context(), Options{})
	g := s.Group(nil)
	shares := []*Share{s.Share(), s.Share(), s.Share()}
	force(t, g.Thunk(func(context.Context) (any, error) {
		for range 3 {
			for _, h := range shares {
				g.Join(h)
			}
		}
		return 1, nil
	}))
	if len(g.shares) != len(shares) {
		t.Errorf("%d memberships in %d shares", len(g.shares), len(shares))
	}
	for _, h := range shares {
		if h.groups != 1 {
			t.Errorf("a share counts %d groups", h.groups)
		}
	}
}
