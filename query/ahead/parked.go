package ahead

import (
	"context"
	"sync/atomic"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// While the consumer waits for the first in line, and that for a load, which may
// be one that never ends, what is done behind it is set aside: it gives back its
// leave to load and its place, so that all the others are loaded meanwhile, and
// the deadlines of several that never answer pass together. A consumer that is
// only slow, or waits for what is being computed, is never far behind.
const (
	MaxAside    = 8192 // elements that are ahead, with those set aside
	ScoutsAside = 8    // for each worker: what scouts have loaded lies in the document's memory, where the oldest has to go first
)

// A loading tells an element of the loads of one goroutine that works for it.
// It may be nil: then nobody is to know.
type loading struct {
	el *element
	on atomic.Bool
}

// begins is called when a load has begun, ends whenever none is under way.
func (l *loading) begins() {
	if l != nil && l.on.CompareAndSwap(false, true) {
		l.el.queue.shift(l.el, 1)
		l.el.queue.spread()
	}
}

func (l *loading) ends() {
	if l != nil && l.on.Load() && l.on.CompareAndSwap(true, false) {
		l.el.queue.shift(l.el, -1)
	}
}

// gated gives a context whose loads it is told of.
func (l *loading) gated(ctx context.Context, gate func(context.Context) error) context.Context {
	return mesh.WithGate(ctx, func(ctx context.Context) error {
		if ctx.Value(innerKey{}) == nil { // else of a region inside, which has an element of its own
			l.begins()
		}
		return gate(ctx)
	})
}

// inner is the context of a load inside an element of a region inside.
func inner(ctx context.Context) context.Context { return context.WithValue(ctx, innerKey{}, true) }

type innerKey struct{}

// shift counts what an element waits for: its loads, and a region inside whose
// consumer is held up.
func (q *queue) shift(el *element, by int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	el.loading += by
	q.judge()
}

// judge finds out whether the consumer is held up by a load. Caller holds mu;
// it is never taken by who holds that of a region around.
func (q *queue) judge() {
	held := q.waits && len(q.els) > 0 && q.els[0].loading > 0
	if held == q.held.Load() {
		return
	}
	q.held.Store(held)
	if q.at == nil {
		return
	}
	by := -1
	if held {
		by = 1
	}
	q.at.queue.shift(q.at, by)
}

// waiting says that the consumer waits for the first in line, or does no more.
func (q *queue) waiting(yes bool) {
	q.mu.Lock()
	q.waits = yes
	q.judge()
	q.mu.Unlock()
	if yes {
		q.spread()
	}
}

// spread lets go of what consumers hold up that are held up by a load, here and
// in the regions around.
func (q *queue) spread() {
	for {
		q.mu.Lock()
		due := q.held.Load() && q.stalled > 0
		q.mu.Unlock()
		if due && q.m.Spare() {
			q.mu.Lock()
			if q.held.Load() { // still: to look at the memory takes a while
				q.resume()
			}
			q.mu.Unlock()
		}
		if q.at == nil {
			return
		}
		q = q.at.queue
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
		q.waits = false
		q.judge()
	}
}

// finished is called by the worker when all is done for an element.
func (q *queue) finished(el *element) {
	q.mu.Lock()
	el.ended = true
	q.stall(el, true)
	q.mu.Unlock()
	if q.held.Load() && q.m.Spare() {
		q.mu.Lock()
		defer q.mu.Unlock()
		if !q.held.Load() { // meanwhile: many may come by here at once
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
	if !q.held.Load() || !q.m.Spare() {
		return false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.held.Load() {
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
	if el.used || el.aside || q.els[0] == el || q.Look != nil && q.aside >= ScoutsAside*q.m.pool.workers {
		return
	}
	q.stall(el, false)
	el.aside = true
	q.aside++
	if el.loads {
		el.loads = false
		q.loads.Add(-1)
		q.limit = min(q.limit+1, q.m.pool.workers)
	}
	q.grant()
	poke(q.space)
}

// attended runs what a consumer does itself for an element that is scouted: its
// loads are those of the first in line.
func (q *queue) attended(el *element, y func() error) error {
	m, ctx, at := q.m, q.m.Ctx, q.m.at
	m.watch(&loading{el: el})
	m.Ctx = m.at.gated(ctx, func(context.Context) error { return mesh.Enter(inner(ctx)) })
	q.waiting(true)
	err := y()
	m.Loaded()
	q.waiting(false)
	m.Ctx = ctx
	m.watch(at)
	return err
}
