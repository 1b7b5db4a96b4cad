package forward

import "slices"

// podName identifies the pod of a session.
type podName struct{ namespace, pod string }

func (n podName) String() string { return n.pod + "." + n.namespace }

// A slots has the sessions that exist at once, and the callers that wait for a
// slot. The pool's lock guards it.
type slots struct {
	limit  int
	paused int // the number of sessions that don't count against the limit
	held   map[podName]*session
	queue  []*waiter // the waiting callers, in the order of their arrival
	turn   int64     // the number of releases so far, by which sessions are ordered
}

// A waiter is a caller that waits for a session.
type waiter struct {
	name  podName
	given chan *session // receives the session for the waiter; buffered
}

// admit assigns sessions to all waiters that can get one. A waiter whose pod
// already has a session needs no slot, so it doesn't wait behind waiters that
// need one.
func (p *slots) admit(start func(podName) *session) {
	p.queue = slices.DeleteFunc(p.queue, func(t *waiter) bool {
		s := p.held[t.name]
		if s == nil {
			if len(p.held)-p.paused >= p.limit && !p.evict() {
				return false
			}
			s = start(t.name)
			p.held[t.name] = s
		}
		s.dialing++
		s.inUse = true
		t.given <- s
		return true
	})
}

// withdraw removes a waiter from the queue, and reports whether it was in the
// queue.
func (p *slots) withdraw(t *waiter) bool {
	i := slices.Index(p.queue, t)
	if i < 0 {
		return false
	}
	p.queue = slices.Delete(p.queue, i, i+1)
	return true
}

// release marks a session as released: the pool may close it when another pod
// needs its slot.
func (p *slots) release(s *session) {
	p.turn++
	p.pause(s, false)
	s.inUse, s.released = false, p.turn
}

// vacate frees the session's slot.
func (p *slots) vacate(s *session) {
	if p.held[s.name] == s {
		p.pause(s, false)
		delete(p.held, s.name)
	}
}

// pause sets whether a session counts against the limit of sessions.
func (p *slots) pause(s *session, paused bool) {
	switch {
	case paused == s.paused:
		return
	case paused:
		p.paused++
	default:
		p.paused--
	}
	s.paused = paused
}

// evict ends the session that was released first. It ends idle sessions before
// those with open connections.
func (p *slots) evict() bool {
	var out *session
	for _, s := range p.held {
		if !s.inUse && s.dialing == 0 && (out == nil || s.before(out)) {
			out = s
		}
	}
	if out == nil {
		return false
	}
	out.end()
	p.vacate(out)
	return true
}
