package eval

import (
	"context"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// While the consumer waits for the first in line, which may be one that never
// answers, what is done behind it is set aside: it gives back its leave to load
// and its place, so that all the others are loaded meanwhile, and the deadlines
// of several that never answer pass together. A consumer that is only slow is
// never far behind.
const (
	maxAside    = 8192 // elements that are ahead, with those set aside
	scoutsAside = 8    // for each worker: what scouts have loaded lies in the document's memory, where the oldest has to go first
)

// idles says that the consumer waits, or does no more.
func (q *queue) idles(yes bool) {
	q.mu.Lock()
	q.idle.Store(yes)
	waiting := yes && q.stalled > 0
	q.mu.Unlock()
	if waiting && q.m.run.budget.spare() {
		q.mu.Lock()
		defer q.mu.Unlock()
		if q.idle.Load() { // still: to look at the memory takes a while
			q.resume()
		}
	}
}

// resume lets go of all that the consumer has held up. Caller holds mu.
func (q *queue) resume() {
	for _, el := range q.els[min(1, len(q.els)):] {
		switch {
		case !el.stalled:
		case el.ended:
			q.setAside(el)
		default:
			q.stall(el, false)
			poke(el.room)
		}
	}
}

// wakes says that there is something of an element. If it is the first, the
// consumer doesn't wait any more, though it may not know yet.
func (q *queue) wakes(el *element) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.els) > 0 && q.els[0] == el {
		q.idle.Store(false)
	}
}

// finished is called by the worker when all is done for an element.
func (q *queue) finished(el *element) {
	q.mu.Lock()
	el.ended = true
	q.stall(el, true)
	q.mu.Unlock()
	if q.idle.Load() && q.m.run.budget.spare() {
		q.mu.Lock()
		defer q.mu.Unlock()
		if !q.idle.Load() { // meanwhile: many may come by here at once
			return
		}
		if q.setAside(el); q.stalled > 0 { // there was no memory for them
			q.resume()
		}
	}
}

// goesOn tells whether an element may give more results than may wait. If not,
// its worker is poked as soon as it may.
func (q *queue) goesOn(el *element) bool {
	q.mu.Lock()
	q.stall(el, true)
	q.mu.Unlock()
	if !q.idle.Load() || !q.m.run.budget.spare() {
		return false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.idle.Load() {
		return false
	}
	q.stall(el, false)
	return true
}

// stall marks an element that is held up by its consumer. Caller holds mu.
func (q *queue) stall(el *element, yes bool) {
	if yes = yes && !el.used && !el.aside; yes == el.stalled {
		return
	}
	if el.stalled = yes; yes {
		q.stalled++
	} else {
		q.stalled--
	}
}

// setAside makes an element that is done count no more. The number of those
// that may load grows with each by one: others do get answers. Caller holds mu.
func (q *queue) setAside(el *element) {
	if el.used || el.aside || q.els[0] == el || q.look != nil && q.aside >= scoutsAside*q.m.run.workers {
		return
	}
	q.stall(el, false)
	el.aside = true
	q.aside++
	if el.loads {
		el.loads = false
		q.loads.Add(-1)
		q.limit = min(q.limit+1, q.m.run.workers)
	}
	q.grant()
	poke(q.space)
}

// attended runs what a consumer does itself for an element that is scouted. It
// counts as waiting from each load that it comes to until it hands something
// on.
func (q *queue) attended(y func() error) error {
	m, ctx, tends := q.m, q.m.ctx, q.m.tends
	m.ctx = mesh.WithGate(ctx, func(context.Context) error {
		q.idles(true)
		return mesh.Enter(ctx)
	})
	m.tends = q
	err := y()
	m.ctx, m.tends = ctx, tends
	q.idles(false)
	return err
}

// hands says that a result is handed on by what is attended.
func (m *mach) hands() {
	if m.tends != nil {
		m.tends.idles(false)
	}
}
