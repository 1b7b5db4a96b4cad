package ahead

import (
	"context"
	"sync"

	"github.com/meshq/kubectl-meshq/query/values"
)

// element is a result of a region's source, or something that was told while
// it was made. Several workers may be at as many elements.
type element struct {
	v      values.Located
	fr     *Frame
	index  int
	works  bool // a worker is at it
	told   bool
	ev     Event
	ctx    context.Context // the worker's
	cancel context.CancelFunc

	queue *queue
	seq   int // its place among all elements of the queue

	// The queue's mu guards what follows.
	loads   bool          // counts against the limit
	loaded  bool          // did, at some time
	leave   chan struct{} // it waits for leave to load; nil when it doesn't
	ended   bool          // nobody works at it any more
	used    bool          // the consumer has no more use for it
	aside   bool
	stalled bool
	loading int // what it waits for

	mu   sync.Mutex
	out  []result
	more int // results that may wait, beyond maxReady
	done bool
	err  error
	news chan struct{} // for the consumer
	room chan struct{} // for the worker
}

// result is what a worker gives: a value, or something to be told.
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

// give is called by the worker.
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

// tell tells the consumer that there is something.
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

// take is called by the consumer. It waits until there is something.
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
