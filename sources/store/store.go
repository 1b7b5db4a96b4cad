// Package store holds what was loaded: each section of the document is a
// [Thunk], loaded once for all who want it, kept as long as the memory budget
// lasts, and loaded again when it is wanted after it had to go. It knows
// values by their cost in bytes only: nothing of proxies, sections or where
// they come from.
//
// # Rules
//
//   - A load belongs to those who wait for it: when the last of them leaves,
//     it is canceled. Nobody else's deadline ends it.
//   - At most Options.Slots loads run at once. A load never waits for a slot
//     while it holds one, so loads may wait for a [Shared] inside.
//   - Values that share bytes, tables and memory are a [Group], and are
//     evicted together: to drop one alone would free nothing.
//   - What groups hold in common is a [Share], which costs once.
//   - A group in which something is being loaded is never evicted, nor is the
//     one that was touched last: what is larger than the budget can still be
//     read.
//   - A load that ended with an error is not tried again, unless it was
//     canceled.
package store

import (
	"container/list"
	"context"
	"sync"
)

// Options bound a store. Zero means no bound.
type Options struct {
	Memory int64 // bytes that loaded values may cost together
	Many   int   // groups: where more than these are loaded, an eighth of Memory is enough for all
	Slots  int   // loads at once
}

// A Store is the memory and the slots that thunks share.
type Store struct {
	base   context.Context // of every load; ended by Close
	cancel context.CancelFunc
	memory int64
	many   int
	slots  chan struct{} // nil: unbounded

	air air // the loads under way

	mu     sync.Mutex
	recent list.List // of *Group, with something loaded; the one touched last in front
	count  Counters
}

// Counters say what a store did so far.
type Counters struct {
	Loads     int   // loads that ended well
	Failed    int   // loads that ended with an error
	Canceled  int   // loads that everybody left, or that Close ended
	Hits      int   // looks at what was there
	Joined    int   // waits for a load that another had begun
	Evictions int   // groups dropped to keep within the budget
	Memory    int64 // what is loaded or being loaded costs, in bytes
	Peak      int64 // the most that Memory was after room had been made
}

// New gives an empty store. Its loads end when ctx does.
func New(ctx context.Context, o Options) *Store {
	s := &Store{memory: o.Memory, many: o.Many}
	s.base, s.cancel = context.WithCancel(ctx)
	if o.Slots > 0 {
		s.slots = make(chan struct{}, o.Slots)
	}
	return s
}

// Close ends the loads under way. What is loaded stays readable.
func (s *Store) Close() {
	s.cancel()
	s.air.close()
}

// Settle waits, after Close, until no load is running: then nothing that they
// read is needed any more.
func (s *Store) Settle() { s.air.settle() }

// Counters gives the counters as they are now.
func (s *Store) Counters() Counters {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count
}

type slotKey struct{}

// Slot waits until a load may run and gives what ends it. The context of a
// thunk's load holds a slot already: with that one, Slot costs nothing.
func (s *Store) Slot(ctx context.Context) (release func(), err error) {
	if s.slots == nil || ctx.Value(slotKey{}) != nil {
		return func() {}, ctx.Err()
	}
	select {
	case s.slots <- struct{}{}:
		return func() { <-s.slots }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// grow counts what came in, and makes room for it. Caller holds s.mu.
func (s *Store) grow(bytes int64) {
	s.count.Memory += bytes
	s.evict()
	s.count.Peak = max(s.count.Peak, s.count.Memory)
}

// evict drops what was not touched for longest until the rest fits. Caller
// holds s.mu.
func (s *Store) evict() {
	if s.memory <= 0 {
		return
	}
	for e := s.recent.Back(); e != nil && e != s.recent.Front() && s.count.Memory > s.bound(); {
		g := e.Value.(*Group)
		e = e.Prev()
		if g.flying == 0 {
			s.count.Evictions++
			g.empty()
		}
	}
}

// bound is what may be loaded now. Of many groups most were looked at once, on
// the way through all of them: to keep them would only make a run of thousands
// larger than one of hundreds. Caller holds s.mu.
func (s *Store) bound() int64 {
	if s.many > 0 && s.recent.Len() > s.many {
		return s.memory / 8
	}
	return s.memory
}
