package store

import (
	"context"
	"slices"
	"sync"
)

// pausedMost is how many paused loads there may be for each slot. Each of them holds
// a connection and its goroutines.
const pausedMost = 4

// slots limits the loads that run at once.
type slots struct {
	limit int // 0 means no limit

	mu      sync.Mutex
	running int             // loads that hold a slot
	paused  int             // loads that gave their slot back for a while
	resumed []chan struct{} // loads that wait for a slot again, in the order of their arrival; they get one before the new loads
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
	} else { // the slot was given meanwhile
		s.free()
	}
	return ctx.Err()
}

// free passes a slot on to the next load that waits for one. The caller must hold mu.
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

	mu     sync.Mutex // held while the slot is taken again
	paused bool
	over   bool
}

// release gives the slot back for good.
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

// pause gives the slot back until resume is called, unless too many loads are paused
// already. It reports whether the load is paused now. If several requests of a load
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
