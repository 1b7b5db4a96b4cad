package forward

import "slices"

// podName is whom a session goes to.
type podName struct{ namespace, pod string }

func (n podName) String() string { return n.pod + "." + n.namespace }

// places are the sessions that may be had at once, and who waits for one. The
// pool's lock guards them.
type places struct {
	limit int
	held  map[podName]*session
	queue []*ticket // first come, first served
	turn  int64     // grows with each release
}

// A ticket is one who waits for a session.
type ticket struct {
	name  podName
	given chan *session // has room for it
}

// admit serves those who can be served. One whose pod has a session needs no
// place, so it doesn't wait behind one who does.
func (p *places) admit(start func(podName) *session) {
	p.queue = slices.DeleteFunc(p.queue, func(t *ticket) bool {
		s := p.held[t.name]
		if s == nil {
			if len(p.held) >= p.limit && !p.evict() {
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

// withdraw takes a ticket out of the queue, and tells whether it was there.
func (p *places) withdraw(t *ticket) bool {
	i := slices.Index(p.queue, t)
	if i < 0 {
		return false
	}
	p.queue = slices.Delete(p.queue, i, i+1)
	return true
}

// release says that a session may be closed for another's sake.
func (p *places) release(s *session) {
	p.turn++
	s.inUse, s.released = false, p.turn
}

// vacate gives the session's place up.
func (p *places) vacate(s *session) {
	if p.held[s.name] == s {
		delete(p.held, s.name)
	}
}

// evict ends the session that was released first; those that still have open
// connections come after those that don't.
func (p *places) evict() bool {
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
