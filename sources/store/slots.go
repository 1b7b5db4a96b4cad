package store

import (
	"context"
	"slices"
	"sync"
)

// pausedMost is the maximum number of paused loads for each slot. A paused load
// still occupies a connection and its goroutines.
const pausedMost = 4

// slots limits the loads that run at once.
type slots struct {
	limit int // the maximum number of loads; 0 means no limit

	mu      sync.Mutex
	running int // number of loads that occupy a slot
	paused  int // number of loads that have released their slot and will need it again
	// loads that need a slot again after a pause, in the order of their
	// arrival; they get one before new loads
	resumed []chan struct{}
	begun   []chan struct{} // new loads that wait for a slot, in the order of their arrival
}

// acquire waits for a slot.
func (s *slots) acquire(ctx context.Context, queue *[]chan struct{}) error {
	s.mu.Lock()
	if s.running < s.limit {
		s.running++
		s.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	*queue = append(*queue, turn)
	s.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(*queue, turn); i >= 0 {
		*queue = slices.Delete(*queue, i, i+1)
	} else { // the slot was assigned in the meantime
		s.free()
	}
	return ctx.Err()
}

// free assigns a free slot to the next load that waits for one. The caller must hold
// mu.
func (s *slots) free() {
	for _, queue := range []*[]chan struct{}{&s.resumed, &s.begun} {
		if len(*queue) > 0 {
			close((*queue)[0])
			*queue = slices.Delete(*queue, 0, 1)
			return
		}
	}
	s.running--
}

// A slot is the permission of one load to run.
type slot struct {
	slots *slots

	mu     sync.Mutex // locked while the load waits for its slot again
	paused bool
	over   bool
}

// release releases the slot for the last time.
func (s *slot) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slots.mu.Lock()
	defer s.slots.mu.Unlock()
	if s.paused {
		s.slots.paused--
	} else {
		s.slots.free()
	}
	s.over, s.paused = true, false
}

// pause releases the slot until resume is called, unless too many loads are already
// paused. It reports whether the load is paused now. If several requests of a load
// wait for an answer, the first answer ends the pause.
func (s *slot) pause() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slots.mu.Lock()
	defer s.slots.mu.Unlock()
	if s.over || s.paused || s.slots.paused >= pausedMost*s.slots.limit {
		return s.paused
	}
	s.paused = true
	s.slots.paused++
	s.slots.free()
	return true
}

// resume ends a pause. It waits for a slot.
func (s *slot) resume(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over || !s.paused {
		return ctx.Err()
	}
	if err := s.slots.acquire(ctx, &s.slots.resumed); err != nil {
		return err
	}
	s.paused = false
	s.slots.mu.Lock()
	defer s.slots.mu.Unlock()
	s.slots.paused--
	return nil
}
