package ahead

import (
	"github.com/meshq/kubectl-meshq/query/values"

	stacks "runtime/debug"
	"sync"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// debug is a builtin of the language

// Thread is one goroutine of a run: its work on values, and its place among the
// other goroutines.
type Thread struct {
	values.Task
	Owner any // the evaluator's machine, which the thread is a part of

	pool  *Pool
	Frame *Frame      // the innermost iteration over proxies that is under way
	queue *queue      // the region that this goroutine works for
	at    *loading    // the loads of this goroutine; nil: nobody needs to know of them
	Scout bool        // its results are dropped, and nothing is reported
	Muted bool        // it repeats what was done: nothing is reported twice
	Sink  func(Event) // takes what is reported; nil: the run does
}

// Pool is what all threads of a run share.
type Pool struct {
	workers int // how many elements may load at once; with 1 nothing runs ahead
	first   int // how many of them may load at first
	fork    func() *Thread
	report  func(Event) // called in order, in the goroutine that started the run
	threads sync.WaitGroup
}

// NewPool returns the pool of a run in which that many elements may load at
// once: from the beginning if all results are wanted. Fork makes another thread
// of the evaluator's; report takes what is reported.
func NewPool(workers int, all bool, fork func() *Thread, report func(Event)) *Pool {
	p := &Pool{workers: workers, first: workers, fork: fork, report: report}
	if !all {
		p.first = min(FirstLoads, workers)
	}
	return p
}

// Wait returns when no thread but the caller's is left.
func (p *Pool) Wait() { p.threads.Wait() }

// Start makes t the first thread of the pool's run.
func (p *Pool) Start(t *Thread, task values.Task) {
	t.Task, t.pool = task, p
	t.Host = t
}

// Sequential reports whether nothing may run ahead of this thread.
func (t *Thread) Sequential() bool { return t.pool.workers == 1 || t.Scout }

// watch has the loads of the thread reported to l.
func (t *Thread) watch(l *loading) {
	t.at, t.Loading = l, nil
	if l != nil {
		t.Loading = &l.on
	}
}

// LoadEnded implements [Host].
func (t *Thread) LoadEnded() { t.at.ends() }

// LoadFailed implements [Host]: it reports a fault.
func (t *Thread) LoadFailed(err error) {
	if f := values.AsFault(err); f != nil && t.Ctx.Err() == nil {
		t.Report(Event{Fault: f})
	}
}

// LoadEach implements [Host].
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

// pending tells whether looking into v means to wait for a load, now or one
// member further: worth doing for several such values at once.
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

// severalPending tells whether more than one element of an array is worth
// loading at once with others. Only lazy ones are asked.
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
