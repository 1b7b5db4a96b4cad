package ahead

import (
	"context"
	"sync"

	"github.com/meshq/kubectl-meshq/query/values"
)

// element is one entry in a queue of elements to evaluate: a result of the iteration, or
// an event to report to the user. Each element that has to be loaded has a worker
// goroutine of its own.
type element struct {
	v      values.Located
	fr     *Frame
	index  int
	works  bool // whether a worker evaluates this element
	told   bool
	ev     Event
	ctx    context.Context // the context of this element's worker
	cancel context.CancelFunc

	queue *queue
	seq   int // position of this element in the order of the iteration

	// The mutex queue.mu guards the fields from here to loading.
	loads   bool          // whether the element counts against the limit on loading elements
	loaded  bool          // whether the element has ever counted against the limit
	leave   chan struct{} // closed when this element may load; nil if this element doesn't wait for a permit
	ended   bool          // whether this element's worker is done
	used    bool          // whether the consumer is done with this element
	aside   bool
	stalled bool
	loading int // number of running loads that this element waits for

	mu   sync.Mutex
	out  []result
	more int // number of results that may be buffered beyond the limit MaxReady
	done bool
	err  error
	news chan struct{} // signals to the consumer that there are results
	room chan struct{} // signals to the worker that there is room in the buffer
}

// result is one output of a worker: a value, or an event to report to the user.
type result struct {
	v    values.Located
	fr   *Frame
	told bool
	ev   Event
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func wait(ctx context.Context, c chan struct{}) error {
	select {
	case <-c:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// give passes a result from the worker to the consumer. It blocks while the element's
// buffer is full.
func (el *element) give(x result) error {
	el.mu.Lock()
	for len(el.out) >= MaxReady+el.more {
		el.mu.Unlock()
		more := 0
		if el.queue.goesOn(el) {
			more = MaxReady
		} else if err := wait(el.ctx, el.room); err != nil {
			return err
		}
		el.mu.Lock()
		el.more += more
	}
	el.out = append(el.out, x)
	first := len(el.out) == 1
	el.mu.Unlock()
	if first {
		el.tell()
	}
	return nil
}

// tell signals to the consumer that the element has results, or that its worker is done.
func (el *element) tell() {
	if el.queue.held.Load() {
		el.queue.wakes(el)
	}
	poke(el.news)
}

func (el *element) finish(err error) {
	el.mu.Lock()
	el.done, el.err = true, err
	el.mu.Unlock()
	el.tell()
}

// take returns the element's buffered results to the consumer. It waits until the buffer
// contains a result or the worker is done.
func (el *element) take(ctx context.Context) (out []result, done bool, err error) {
	for {
		el.mu.Lock()
		out, done, err = el.out, el.done, el.err
		el.out, el.more = nil, 0
		el.mu.Unlock()
		if len(out) > 0 {
			poke(el.room)
		}
		if len(out) > 0 || done {
			return out, done, err
		}
		el.queue.waiting(true)
		err := wait(ctx, el.news)
		el.queue.waiting(false)
		if err != nil {
			return nil, true, err
		}
	}
}
