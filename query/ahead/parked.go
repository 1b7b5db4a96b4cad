package ahead

import (
	"context"
	"sync/atomic"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// Elements are parked while the consumer waits for the first element, and that element
// waits for a load, which may never end. Each later element whose worker is done is then
// parked: it gives back its permit to load, and no longer counts against the length of
// the queue. So all other elements can load in the meantime. If several proxies don't
// respond, their timeouts run at the same time. No element is parked while the consumer
// is only slow, or waits for a computation.
const (
	MaxAside = 8192 // maximum number of elements in the queue, including parked ones
	// ScoutsAside is the maximum number of parked elements per worker if workers only
	// load in advance (Region.Look). If there were more, loaded sections would be evicted
	// from memory before the consumer uses them.
	ScoutsAside = 8
)

// A loading records whether the goroutine that evaluates an element waits for a load. A
// nil loading records nothing.
type loading struct {
	el *element
	on atomic.Bool
}

// begins must be called whenever a load starts, and the method ends whenever no load is
// running.
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

// gated returns a context for an element's loads. Each load is first recorded in l, then
// waits until the function gate returns.
func (l *loading) gated(ctx context.Context, gate func(context.Context) error) context.Context {
	return mesh.WithGate(ctx, func(ctx context.Context) error {
		// a load inside a nested iteration is recorded for the nested iteration's element
		// instead
		if ctx.Value(innerKey{}) == nil {
			l.begins()
		}
		return gate(ctx)
	})
}

// inner returns a context that marks its loads as loads of a nested iteration.
func inner(ctx context.Context) context.Context { return context.WithValue(ctx, innerKey{}, true) }

type innerKey struct{}

// shift changes the number of loads that an element waits for by the given difference. A
// nested iteration whose consumer waits for a load counts as one load.
func (q *queue) shift(el *element, by int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	el.loading += by
	q.judge()
}

// judge updates q.held, which is true while the consumer waits for a load. The caller
// must hold q.mu. judge may lock the mutex of an outer iteration's queue while it holds
// q.mu. Locking in the other order would deadlock.
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

// waiting records whether the consumer waits for the first element of the queue.
func (q *queue) waiting(yes bool) {
	q.mu.Lock()
	q.waits = yes
	q.judge()
	q.mu.Unlock()
	if yes {
		q.spread()
	}
}

// spread resumes the blocked elements of this queue, and of the queues of all outer
// iterations whose consumers wait for a load.
func (q *queue) spread() {
	for {
		q.mu.Lock()
		due := q.held.Load() && q.stalled > 0
		q.mu.Unlock()
		if due && q.m.Spare() {
			q.mu.Lock()
			// checked again, because Spare may take long and q.held may have changed in
			// the meantime
			if q.held.Load() {
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

// resume parks the blocked elements whose workers are done, and lets the workers of the
// other blocked elements continue. The caller must hold q.mu.
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

// wakes records that an element has results. If the element is the first one in the
// queue, the consumer no longer waits for it, although the consumer's goroutine may not
// be running again yet.
func (q *queue) wakes(el *element) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.els) > 0 && q.els[0] == el {
		q.waits = false
		q.judge()
	}
}

// finished must be called by a worker when it has evaluated its element.
func (q *queue) finished(el *element) {
	q.mu.Lock()
	el.ended = true
	q.stall(el, true)
	q.mu.Unlock()
	if q.held.Load() && q.m.Spare() {
		q.mu.Lock()
		defer q.mu.Unlock()
		if !q.held.Load() { // another worker may have changed q.held since the check above
			return
		}
		if q.setAside(el); q.stalled > 0 { // elements that were blocked by a lack of memory can continue now
			q.resume()
		}
	}
}

// goesOn reports whether an element's worker may buffer results beyond the limit. If it
// returns false, the worker is woken as soon as it may continue.
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

// stall records whether an element is blocked until the consumer continues. The caller
// must hold q.mu.
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

// setAside parks an element whose worker is done. It also raises the limit on concurrent
// loads by one, because a finished element shows that other proxies do respond. The
// caller must hold q.mu.
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

// attended calls y, which processes an element, in the consumer's own goroutine. It is
// used if workers only load in advance (Region.Look). Loads in y count as loads of the
// first element.
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
