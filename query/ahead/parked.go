package ahead

import (
	"context"
	"sync/atomic"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// Elements are parked if the consumer waits for the first element, and that element
// waits for a load, which may never end. Then each later element that is done is
// parked: it returns its permit to load, and no longer counts against the length of
// the queue. So all other elements are loaded in the meantime, and if several
// proxies don't respond, their timeouts run at the same time. No element is parked
// if the consumer is only slow or waits for a computation.
const (
	MaxAside    = 8192 // maximum number of elements in the queue, including parked ones
	ScoutsAside = 8    // maximum number of parked elements per worker in a region with Look; with more, loaded sections would be evicted from memory before they are used
)

// A loading tracks whether a goroutine that evaluates an element waits for a load.
// It is nil if nothing depends on that.
type loading struct {
	el *element
	on atomic.Bool
}

// begins must be called when a load starts, and ends whenever no load is running.
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

// gated returns a context in which each load is first reported to l and then waits
// until the function gate returns.
func (l *loading) gated(ctx context.Context, gate func(context.Context) error) context.Context {
	return mesh.WithGate(ctx, func(ctx context.Context) error {
		if ctx.Value(innerKey{}) == nil { // a load in a nested region is reported to that region's element instead
			l.begins()
		}
		return gate(ctx)
	})
}

// inner marks the context of a load in a nested region.
func inner(ctx context.Context) context.Context { return context.WithValue(ctx, innerKey{}, true) }

type innerKey struct{}

// shift adds by to the number of loads that an element waits for. A nested region
// whose consumer waits for a load counts as one.
func (q *queue) shift(el *element, by int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	el.loading += by
	q.judge()
}

// judge updates q.held, which reports whether the consumer waits for a load. The
// caller must hold mu. judge may lock the queue of an outer region while mu is
// held; locking in the other order would deadlock.
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

// waiting records whether the consumer waits for the first element.
func (q *queue) waiting(yes bool) {
	q.mu.Lock()
	q.waits = yes
	q.judge()
	q.mu.Unlock()
	if yes {
		q.spread()
	}
}

// spread resumes the blocked elements of this region and of all outer regions
// whose consumers wait for a load.
func (q *queue) spread() {
	for {
		q.mu.Lock()
		due := q.held.Load() && q.stalled > 0
		q.mu.Unlock()
		if due && q.m.Spare() {
			q.mu.Lock()
			if q.held.Load() { // q.held is checked again, because Spare may take long
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

// resume parks the blocked elements that are done and lets the workers of the other
// blocked elements continue. The caller must hold mu.
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

// wakes records that an element has results. If it is the first element, the consumer
// no longer waits, although its goroutine may not be running again yet.
func (q *queue) wakes(el *element) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.els) > 0 && q.els[0] == el {
		q.waits = false
		q.judge()
	}
}

// finished is called by the worker when its element is done.
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
		if q.setAside(el); q.stalled > 0 { // other elements may have been blocked by a lack of memory
			q.resume()
		}
	}
}

// goesOn reports whether the worker of an element may buffer results beyond the
// limit. If not, the worker receives a signal as soon as it may do so.
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

// stall records whether the element is blocked until the consumer continues. The
// caller must hold mu.
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

// setAside parks an element that is done. It also raises the limit on concurrent
// loads by one, because a finished element shows that other proxies do respond. The
// caller must hold mu.
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

// attended calls y in the consumer's own goroutine. y evaluates an element of a
// region with Look. Loads in y count as loads of the first element.
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
