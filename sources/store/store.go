// Package store keeps the loaded values of the document. Each section of the document
// is a [Thunk]: it is loaded once for all readers, kept as long as the memory budget
// allows, and loaded again if it is needed after its eviction. For this package, a
// value has only a cost in bytes: it doesn't depend on proxies, sections or their
// sources.
//
// # Rules
//
//   - A load runs as long as any caller waits for it. When the last caller leaves,
//     the load is canceled. The deadline of a single caller doesn't end it.
//   - At most Options.Slots loads run at once. A load never waits for a second slot
//     while it occupies one, so loads may wait for a [Shared] inside.
//   - A load that waits long for an answer is paused (see [mesh.Pause]): it releases
//     its slot until the answer begins. So a proxy that never answers delays no
//     other loads. At most four loads are paused for each slot.
//   - Values that share bytes, tables and memory form a [Group] and are evicted
//     together, because evicting one of them would free nothing.
//   - Memory that several groups use in common is a [Share], which is counted once.
//   - A group with a running load is never evicted, nor is the group that was used
//     last. So a value larger than the budget can still be read.
//   - A load that ended with an error is not retried, unless it was canceled.
package store

import (
	"container/list"
	"context"
	"sync"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// Options are the limits of a store. Zero means no limit.
type Options struct {
	Memory int64 // the maximum size of all loaded values in bytes
	Many   int   // number of groups above which only an eighth of Memory is used
	Slots  int   // the maximum number of concurrent loads
}

// A Store provides the memory budget and the slots that thunks share.
type Store struct {
	base   context.Context // the parent of every load's context; canceled by Close
	cancel context.CancelFunc
	memory int64
	many   int
	slots  slots

	running runningLoads

	mu     sync.Mutex
	recent list.List // the groups (*Group) with loaded values; the one used last is first
	count  Counters
}

// Counters are statistics of a store since it was created.
type Counters struct {
	Loads     int   // number of loads that succeeded
	Failed    int   // number of loads that ended with an error
	Canceled  int   // number of loads that were canceled, by Close or because all callers left
	Hits      int   // number of reads of a value that was already loaded
	Joined    int   // number of calls that waited for a load that another caller had begun
	Evictions int   // number of groups that were evicted because the budget was exceeded
	Memory    int64 // the size of all values that are loaded or being loaded, in bytes
	Peak      int64 // the highest value of Memory, measured after evictions
}

// New returns an empty store. Its loads end when ctx does.
func New(ctx context.Context, o Options) *Store {
	s := &Store{memory: o.Memory, many: o.Many, slots: slots{limit: o.Slots}}
	s.base, s.cancel = context.WithCancel(ctx)
	return s
}

// Close ends the running loads. Loaded values can still be read.
func (s *Store) Close() {
	s.cancel()
	s.running.close()
}

// Settle waits, after Close, until no load is running. Then the sources of the loads
// may be closed.
func (s *Store) Settle() { s.running.settle() }

// Counters returns the current statistics.
func (s *Store) Counters() Counters {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count
}

type slotKey struct{}

// Slot waits for a slot in which a load may run, and returns the context for the
// load. The caller must call release when the load has ended. If ctx is the context
// of a load that already has a slot, Slot returns at once.
func (s *Store) Slot(ctx context.Context) (inSlot context.Context, release func(), err error) {
	return s.slot(ctx, func() {})
}

// slot does the same as Slot. It also calls paused when the load is paused.
func (s *Store) slot(ctx context.Context, paused func()) (inSlot context.Context, release func(), err error) {
	if s.slots.limit <= 0 || ctx.Value(slotKey{}) != nil {
		return ctx, func() {}, ctx.Err()
	}
	if err := s.slots.acquire(ctx, &s.slots.begun); err != nil {
		return nil, nil, err
	}
	held := &slot{slots: &s.slots}
	ctx = mesh.WithPause(context.WithValue(ctx, slotKey{}, true), func() func(context.Context) error {
		if held.pause() {
			paused()
		}
		return held.resume
	})
	return ctx, held.release, nil
}

// grow adds a number of bytes to the used memory and evicts groups if necessary.
// The caller must hold s.mu.
func (s *Store) grow(bytes int64) {
	s.count.Memory += bytes
	s.evict()
	s.count.Peak = max(s.count.Peak, s.count.Memory)
}

// evict drops the groups that were used longest ago until the rest fits into the
// budget. The caller must hold s.mu.
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

// bound returns the current memory budget, which is smaller if there are many
// groups. Most of these were read only once, in one pass over all of them. Keeping
// them would only make a query over thousands of proxies need more memory than one
// over hundreds. The caller must hold s.mu.
func (s *Store) bound() int64 {
	if s.many > 0 && s.recent.Len() > s.many {
		return s.memory / 8
	}
	return s.memory
}
