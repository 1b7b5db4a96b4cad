package ahead

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/meshq/kubectl-meshq/query/values"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// These limits bound how far the workers may run ahead of the consumer. Parked elements
// (see parked.go) don't count against them.
const (
	// FirstLoads is the maximum number of elements that may load at first, if the
	// consumer may stop before the last result. It doubles with each loaded element that
	// the consumer is done with.
	FirstLoads = 4
	MaxAhead   = 1024 // maximum number of elements in the queue, without parked ones
	MaxReady   = 256  // maximum number of buffered results of one element
)

// queue contains, in order, the elements that the iteration has produced and the consumer
// has not finished yet. The consumer processes the first one.
type queue struct {
	*Region
	ctx   context.Context
	task  values.Task // the consumer's task at the start; each worker receives a copy
	outer *queue      // if this iteration runs inside an element of another iteration: the other iteration's queue
	at    *element    // the element of the outer queue inside which this iteration runs
	quit  context.CancelFunc

	mu      sync.Mutex
	els     []*element
	asking  []*element   // elements that wait for a permit to load, in the order of the queue
	loads   atomic.Int32 // number of elements that count against the limit on loading elements
	limit   int          // maximum number of loading elements; small at first, so that stopping early wastes few loads
	given   int          // number of elements that were put into the queue so far
	aside   int          // number of parked elements in this queue
	stalled int          // number of elements that are blocked until the consumer continues or waits for a load
	waits   bool         // whether the consumer waits for the first element
	held    atomic.Bool  // whether the consumer waits for the first element while that element is loading; set under mu

	ended  bool
	endErr error
	news   chan struct{} // wakes the consumer
	space  chan struct{} // wakes the source, which waits for room in the queue
}

func newQueue(r *Region) *queue {
	r.m.Freeze()
	ctx, quit := context.WithCancel(r.m.Ctx)
	var at *element
	if r.m.at != nil {
		at = r.m.at.el
	}
	return &queue{
		Region: r, outer: r.m.queue, at: at, quit: quit,
		ctx: ctx, task: r.m.Fork(ctx), limit: r.m.pool.first,
		news: make(chan struct{}, 1), space: make(chan struct{}, 1),
	}
}

func (q *queue) stop() { q.quit() }

// thread returns a new thread, for a worker or for running the iteration.
func (q *queue) thread() *Thread {
	t := q.m.pool.fork()
	q.m.pool.Start(t, q.task)
	t.Frame, t.queue = q.base, q.m.queue
	return t
}

// start runs the iteration in a new goroutine. It omits the first skip results, which the
// consumer has already processed, and all events before result number heard.
func (q *queue) start(skip, heard int) {
	m := q.thread()
	if q.at != nil {
		m.watch(&loading{el: q.at})
		m.Ctx = m.at.gated(m.Ctx, func(context.Context) error { return mesh.Enter(inner(q.ctx)) })
	}
	n := 0
	m.Sink = func(ev Event) {
		if n >= heard {
			// put fails only if the context has ended, which also ends the source
			_ = q.put(&element{fr: m.Frame, told: true, ev: ev})
		}
	}
	answers := maps.Clone(q.answers) // a copy, because the consumer adds to the map meanwhile
	q.m.pool.threads.Go(func() {
		err := guarded(func() error {
			return q.From(m, func(v values.Located) error {
				if n++; n <= skip {
					return answers[n-1]
				}
				m.Freeze()
				return q.put(&element{v: v, fr: m.Frame, index: n - 1, works: pending(v.V)})
			})
		})
		q.mu.Lock()
		q.ended, q.endErr = true, err
		q.mu.Unlock()
		poke(q.news)
	})
}

// put appends an element to the queue. It waits while the queue is full.
func (q *queue) put(el *element) error {
	for {
		q.mu.Lock()
		if len(q.els)-q.aside < MaxAhead && len(q.els) < MaxAside {
			break
		}
		q.mu.Unlock()
		if err := wait(q.ctx, q.space); err != nil {
			return err
		}
	}
	if el.works {
		el.news, el.room = make(chan struct{}, 1), make(chan struct{}, 1)
		el.ctx, el.cancel = context.WithCancel(q.ctx)
	}
	el.queue, el.seq = q, q.given
	q.given++
	q.els = append(q.els, el)
	first := len(q.els) == 1
	q.mu.Unlock()
	if el.works {
		q.work(el)
	}
	if first {
		poke(q.news)
	}
	return q.ctx.Err()
}

// head waits for the first element of the queue and returns it. After the last element it
// returns nil and the error of the iteration, if any.
func (q *queue) head() (*element, error) {
	for {
		q.mu.Lock()
		if len(q.els) > 0 {
			el := q.els[0]
			q.grant()
			q.mu.Unlock()
			return el, nil
		}
		ended, err := q.ended, q.endErr
		q.mu.Unlock()
		if ended {
			return nil, err
		}
		if err := wait(q.ctx, q.news); err != nil {
			return nil, err
		}
	}
}

// pop removes the first element from the queue after the consumer is done with it.
func (q *queue) pop(el *element) {
	if el.cancel != nil {
		el.cancel()
	}
	q.mu.Lock()
	q.els[0] = nil
	q.els = q.els[1:]
	q.judge()
	q.leave(el)
	if el.loaded {
		q.limit = min(2*q.limit, q.m.pool.workers)
	}
	q.grant()
	q.mu.Unlock()
	poke(q.space)
}

// leave subtracts a removed element from all counters of the queue. The caller must hold
// q.mu.
func (q *queue) leave(el *element) {
	if el.used = true; el.loads {
		el.loads = false
		q.loads.Add(-1)
	}
	if el.aside {
		q.aside--
	}
	q.stall(el, false)
	if i, there := q.asks(el); there {
		q.asking = slices.Delete(q.asking, i, i+1)
	}
}

// grant gives permits to load to waiting elements. The first element in the queue always
// gets one, because nothing could continue without it; one permit is reserved for it.
// Other elements get permits in their order until the limit is reached. The caller must
// hold q.mu.
func (q *queue) grant() {
	limit := min(q.limit, q.share())
	if len(q.els) > 0 && !q.els[0].loads && q.els[0].leave == nil {
		limit--
	}
	n := 0
	for ; n < len(q.asking); n++ {
		el := q.asking[n]
		if el != q.els[0] && int(q.loads.Load()) >= limit {
			break
		}
		close(el.leave)
		el.leave, el.loads, el.loaded = nil, true, true
		q.loads.Add(1)
	}
	q.asking = slices.Delete(q.asking, 0, n)
}

// asks returns the index of an element in the list of elements that wait for a permit,
// and whether the list contains it.
func (q *queue) asks(el *element) (int, bool) {
	return slices.BinarySearchFunc(q.asking, el.seq, func(o *element, seq int) int { return o.seq - seq })
}

// share returns how many elements of this queue may load at the same time. An iteration
// inside an element of another iteration is evaluated for only one of the outer queue's
// loading elements, so it gets an equal part of the outer queue's limit.
func (q *queue) share() int {
	if q.outer == nil {
		return q.m.pool.workers
	}
	return max(1, q.outer.share()/max(1, int(q.outer.loads.Load())))
}

// gate returns a function that every load of an element must call before it starts. The
// function blocks until the element has a permit to load. An element needs only one
// permit for all its loads, and an element without loads needs none.
func (q *queue) gate(el *element) func(context.Context) error {
	return func(ctx context.Context) error {
		// inside an element of an outer iteration, a load also needs a permit from the
		// outer queue
		if err := mesh.Enter(inner(q.ctx)); err != nil {
			return err
		}
		q.mu.Lock()
		if el.loads {
			q.mu.Unlock()
			return nil
		}
		leave := el.leave
		if leave == nil {
			leave = make(chan struct{})
			el.leave = leave
			if i, there := q.asks(el); !there && !el.used {
				q.asking = slices.Insert(q.asking, i, el)
			}
			q.grant()
		}
		q.mu.Unlock()
		return wait(ctx, leave)
	}
}

// paused is called when a load of an element pauses (see [mesh.Pause]). It takes back the
// element's permit, so that another element can load. The element needs a new permit for
// its next load. An outer iteration's element is paused too.
func (q *queue) paused(el *element) {
	q.mu.Lock()
	if el.loads {
		el.loads = false
		q.loads.Add(-1)
		q.grant()
	}
	q.mu.Unlock()
	mesh.Paused(q.ctx)
}

// work starts the worker goroutine that evaluates an element.
func (q *queue) work(el *element) {
	m := q.thread()
	m.queue = q
	ctx := mesh.WithPaused(el.ctx, func() { q.paused(el) })
	m.Ctx, m.Frame = mesh.WithGate(ctx, q.gate(el)), el.fr
	if q.Look == nil { // if workers only load in advance (Look), only the consumer's own loads are recorded
		m.watch(&loading{el: el})
		m.Ctx = m.at.gated(ctx, q.gate(el))
	}
	q.m.pool.threads.Go(func() {
		defer m.Loaded()
		if q.Look != nil {
			m.Scout, m.MaxSteps = true, scoutSteps
			_ = guarded(func() error { return q.Look(m, el.v) })
			q.finished(el)
			return
		}
		m.Sink = func(ev Event) { _ = el.give(result{fr: m.Frame, told: true, ev: ev}) }
		el.finish(guarded(func() error {
			return q.Use(m, el.v, func(v values.Located) error {
				m.Loaded()
				m.Freeze()
				return el.give(result{v: v, fr: m.Frame})
			})
		}))
		q.finished(el)
	})
}
