package ahead

import (
	"github.com/meshq/kubectl-meshq/query/values"

	stacks "runtime/debug"
	"sync"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// Thread is one goroutine of a run. It embeds the task that the goroutine uses to read
// values, and records the goroutine's relation to the other goroutines.
type Thread struct {
	values.Task
	Owner any // the evaluator's state for this goroutine, which embeds the Thread

	pool  *Pool
	Frame *Frame      // the innermost iteration over proxies that is in progress
	queue *queue      // the queue of the elements that this goroutine evaluates or produces
	at    *loading    // records the loads of this goroutine; nil if they needn't be recorded
	Scout bool        // whether the thread only loads in advance, so that its results and events are dropped
	Muted bool        // whether the thread repeats earlier work, so that its events are dropped
	Sink  func(Event) // receives the thread's events; if nil, Pool.report receives them
}

// Pool contains the state that all threads of a run share.
type Pool struct {
	workers int // maximum number of elements that load at once; with 1, everything runs sequentially
	first   int // maximum number of elements that load at once when the run starts
	fork    func() *Thread
	report  func(Event) // receives the events in order, in the goroutine that started the run
	threads sync.WaitGroup
}

// NewPool returns the pool of a run in which at most workers elements load concurrently.
// all reports whether all results of the run are needed; if not, the run starts with
// fewer loads. fork returns a new thread of the evaluator. report receives the events.
func NewPool(workers int, all bool, fork func() *Thread, report func(Event)) *Pool {
	p := &Pool{workers: workers, first: workers, fork: fork, report: report}
	if !all {
		p.first = min(FirstLoads, workers)
	}
	return p
}

// Wait waits until all threads of the pool except the caller's have ended.
func (p *Pool) Wait() { p.threads.Wait() }

// Start adds the thread t to the pool. t reads values with task.
func (p *Pool) Start(t *Thread, task values.Task) {
	t.Task, t.pool = task, p
	t.Host = t
}

// Sequential reports whether the thread evaluates all elements itself, one after the
// other.
func (t *Thread) Sequential() bool { return t.pool.workers == 1 || t.Scout }

// watch makes l record the thread's loads from now on.
func (t *Thread) watch(l *loading) {
	t.at, t.Loading = l, nil
	if l != nil {
		t.Loading = &l.on
	}
}

// LoadEnded implements [values.Host]. It records that the thread no longer waits for a
// load.
func (t *Thread) LoadEnded() { t.at.ends() }

// LoadFailed implements [values.Host]. It reports a failed load to the user.
func (t *Thread) LoadFailed(err error) {
	if f := values.AsFault(err); f != nil && t.Ctx.Err() == nil {
		t.Report(Event{Fault: f})
	}
}

// LoadEach implements [values.Host]. It loads the elements of an array, several at once.
func (t *Thread) LoadEach(elements []any, load func(*values.Task, any) (any, error), use func(any)) error {
	one := func(t *Thread, v values.Located, y values.Yield) error {
		w, err := load(&t.Task, v.V)
		if err != nil {
			return err
		}
		return y(values.Located{V: w})
	}
	from := func(_ *Thread, y values.Yield) error {
		for _, w := range elements {
			if err := y(values.Located{V: w}); err != nil {
				return err
			}
		}
		return nil
	}
	add := func(v values.Located) error { use(v.V); return nil }
	if t.Sequential() || !severalPending(elements) {
		return from(t, func(v values.Located) error { return one(t, v, add) })
	}
	return t.Run(&Region{From: from, Use: one, Y: add})
}

func guarded(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &values.Panic{Value: r, Stack: stacks.Stack()}
		}
	}()
	return f()
}

// pending reports whether reading v, or one of its members, would wait for a load. If it
// would, loading several such values concurrently saves time.
func pending(v any) bool {
	switch x := v.(type) {
	case *mesh.Object:
		fields, _ := x.Forced()
		m, _ := fields.(*object.Object)
		return pendingMember(m)
	case mesh.Lazy:
		return x.Pending()
	case *object.Object:
		return pendingMember(x)
	}
	return false
}

func pendingMember(m *object.Object) bool {
	for _, w := range m.All() {
		switch l := w.(type) {
		case *mesh.Object:
			if pending(l) {
				return true
			}
		case mesh.Lazy:
			if l.Pending() {
				return true
			}
		}
	}
	return false
}

// severalPending reports whether at least two elements of an array still have to be
// loaded.
func severalPending(x []any) bool {
	n := 0
	for _, w := range x {
		if l, ok := w.(mesh.Lazy); ok && pending(l) {
			if n++; n > 1 {
				return true
			}
		}
	}
	return false
}
