package eval

import (
	"context"
	"fmt"
	"sync"

	"github.com/meshq/kubectl-meshq/query/syntax/native"
)

// Run evaluates the query over a value, with the values of its variables, and
// hands each result to out, in order, in the caller's goroutine. Without
// [RunOptions.Finish] the results may be lazy. An error of out ends the run and
// is given back as it is; one of the query's is an [*Error], a [*Halt] or a
// [*LimitError], or the context's. When Run returns nothing of it is left
// running.
func (c *Code) Run(ctx context.Context, in any, vars []any, o RunOptions, out func(any) error) error {
	if len(vars) != len(c.opts.Variables) {
		return fmt.Errorf("%d values for %d variables", len(vars), len(c.opts.Variables))
	}
	ctx, cancel := context.WithCancel(ctx)
	r := &runState{workers: o.Workers, env: c.opts.Env, opts: &o, funcs: c.funcs, budget: newBudget(o.Memory, o.Held)}
	r.hints.ask = c.opts.FieldHint
	if r.workers <= 0 {
		r.workers = 16
	}
	if c.impure {
		r.workers = 1
	}
	r.first = r.workers
	if c.stops || !o.All {
		r.first = min(firstLoads, r.workers)
	}
	defer r.threads.Wait()
	defer cancel()
	m := &mach{ctx: ctx, run: r}
	var e *env
	for _, v := range vars {
		e = &env{up: e, v: v}
	}
	e = &env{up: e} // for finishing
	err := c.n.run(m, e, pv{in, nil}, func(v pv) error {
		m.freeze()
		if r.lists.Load() {
			v.v = settled(v.v)
		}
		if err := out(v.v); err != nil {
			return &outError{err}
		}
		return nil
	})
	return outcome(err)
}

// outcome is how an error leaves the run.
func outcome(err error) error {
	switch e := undown(err).(type) {
	case *outError:
		return e.err
	case *panicked:
		panic(e)
	case *native.Halt:
		return &Halt{Value: e.Value, Code: e.Code, HasValue: e.Value != nil}
	case *Error:
		if fatal(e) && e.Err != errDepth {
			return e.Err
		}
		return e
	case nil, *Halt, *LimitError:
		return e
	default:
		if fatal(e) && e != errDepth {
			return e
		}
		return &Error{Err: e}
	}
}

// hints remembers which fields were told to be none of a kind's.
type hints struct {
	ask  func(kind, field string) string
	mu   sync.Mutex
	told map[[2]string]bool
}

// news tells whether nothing was told of a field yet.
func (h *hints) news(kind, field string) bool {
	if h.ask == nil {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.told[[2]string{kind, field}]
}

// hint gives what to tell of a field, once.
func (h *hints) hint(kind, field string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	k := [2]string{kind, field}
	if h.told[k] {
		return ""
	}
	if h.told == nil {
		h.told = map[[2]string]bool{}
	}
	h.told[k] = true
	return h.ask(kind, field)
}

// told tells the user an event. It is called in order.
func (r *runState) told(ev event) {
	if ev.fault != nil && r.opts.Fault != nil {
		r.opts.Fault(ev.fault)
	}
	if ev.kind != "" {
		ev.note = r.hints.hint(ev.kind, ev.field)
	}
	if ev.note != "" && r.opts.Note != nil {
		r.opts.Note(ev.note)
	}
}
