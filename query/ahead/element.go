package ahead

import (
	"context"
	"sync"

	"github.com/meshq/kubectl-meshq/query/values"
)

// element is a result of a region's source, or an event that the source reported.
// Each element that has to be loaded has its own worker.
type element struct {
	v      values.Located
	fr     *Frame
	index  int
	works  bool // whether a worker evaluates the element
	told   bool
	ev     Event
	ctx    context.Context // the worker's context
	cancel context.CancelFunc

	queue *queue
	seq   int // position of the element in the order of the source

	// The queue's mu guards the fields from here to loading.
	loads   bool          // whether the element counts against the limit on loading elements
	loaded  bool          // whether the element has ever counted against the limit
	leave   chan struct{} // channel that is closed when the element may load; nil if the element doesn't wait for a permit
	ended   bool          // whether the worker is done
	used    bool          // whether the consumer is done with the element
	aside   bool
	stalled bool
	loading int // number of running loads that the element waits for

	mu   sync.Mutex
	out  []result
	more int // number of results that may be buffered beyond MaxReady
	done bool
	err  error
	news chan struct{} // channel that wakes the consumer
	room chan struct{} // channel that wakes the worker
}

// result is one result of a worker: a value, or an event to report.
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

// give passes a result from the worker to the consumer. It blocks while too many
// results are buffered.
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

// tell signals to the consumer that the element has results, or is done.
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

// take returns the buffered results to the consumer. It waits until there are
// some or the worker is done.
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
