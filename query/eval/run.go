package eval

import (
	"cmp"
	"context"
	"fmt"
	"sync"

	"github.com/meshq/kubectl-meshq/query/ahead"
	"github.com/meshq/kubectl-meshq/query/syntax/native"
	"github.com/meshq/kubectl-meshq/query/values"
)

// The errors that end a run.
type (
	// Error is an error that the query raised and didn't catch.
	Error = values.Error
	// Halt is the error with which the builtins halt and halt_error end a run.
	Halt = values.Halt
	// LimitError is the error of a query that exceeds a limit, such as its memory.
	LimitError = values.LimitError
)

// Run evaluates the query with the given input and the values of its variables, vars. It
// passes each result to out, in order, in the caller's goroutine. If [RunOptions.Finish]
// is nil, results can be lazy (not loaded yet). An error that out returns ends the run
// and is returned unchanged. Other errors are an [*Error], a [*Halt], a [*LimitError] or
// the context's error. When Run returns, none of its goroutines is running.
func (c *Code) Run(ctx context.Context, in any, vars []any, o RunOptions, out func(any) error) error {
	if len(vars) != len(c.opts.Variables) {
		return fmt.Errorf("%d values for %d variables", len(vars), len(c.opts.Variables))
	}
	ctx, cancel := context.WithCancel(ctx)
	r := &runState{opts: &o}
	r.hints.ask = c.opts.FieldHint
	workers := cmp.Or(max(o.Workers, 0), 16)
	if c.impure {
		workers = 1
	}
	pool := ahead.NewPool(workers, o.All && !c.stops, func() *ahead.Thread { return &newMachine(r).Thread }, r.report)
	defer pool.Wait()
	defer cancel()
	m := newMachine(r)
	pool.Start(&m.Thread, values.NewTask(ctx, c.funcs, o.Memory, o.Held))
	var e *env
	for _, v := range vars {
		e = &env{up: e, v: v}
	}
	e = &env{up: e} // every function needs an entry in the environment, also the internal one that finishes results
	err := c.n.run(m, e, values.Located{V: in}, func(v values.Located) error {
		m.Freeze()
		if err := out(m.Settle(v.V)); err != nil {
			return &values.ConsumerError{Err: err}
		}
		return nil
	})
	return outcome(err)
}

// outcome converts the error that ended the evaluation to the error that Run returns.
func outcome(err error) error {
	switch e := values.StripDownstream(err).(type) {
	case *values.ConsumerError:
		return e.Err
	case *values.Panic:
		panic(e)
	case *native.Halt:
		return &values.Halt{Value: e.Value, Code: e.Code, HasValue: e.Value != nil}
	case *values.Error:
		if values.IsUncatchable(e) && e.Err != values.ErrDepth {
			return e.Err
		}
		return e
	case nil, *values.Halt, *values.LimitError:
		return e
	default:
		if values.IsUncatchable(e) && e != values.ErrDepth {
			return e
		}
		return &values.Error{Err: e}
	}
}

// hints remembers for which fields a note was already shown. A note says that an object's
// kind doesn't have the field.
type hints struct {
	ask  func(kind, field string) string
	mu   sync.Mutex
	told map[[2]string]bool
}

// isNew reports whether no note was shown yet for this field of this kind.
func (h *hints) isNew(kind, field string) bool {
	if h.ask == nil {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.told[[2]string{kind, field}]
}

// hint returns the note for a field on the first call, and an empty string on later
// calls.
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

// report shows an event to the user. It is called in the order of the results.
func (r *runState) report(ev ahead.Event) {
	if ev.Fault != nil && r.opts.Fault != nil {
		r.opts.Fault(ev.Fault)
	}
	if ev.Kind != "" {
		ev.Note = r.hints.hint(ev.Kind, ev.Field)
	}
	if ev.Note != "" && r.opts.Note != nil {
		r.opts.Note(ev.Note)
	}
}

// machine is the state of one goroutine that evaluates a query.
type machine struct {
	ahead.Thread
	run  *runState
	next tailCall // the call that the current function still has to make as its last step
}

// runState is the state that all goroutines of one run share.
type runState struct {
	opts  *RunOptions
	hints hints
}

func newMachine(r *runState) *machine {
	m := &machine{run: r}
	m.Owner = m
	return m
}

// machineOf returns the machine that embeds a thread.
func machineOf(t *ahead.Thread) *machine { return t.Owner.(*machine) }

// pipe evaluates b for every result of a, which is an iteration. When a yields a value
// that isn't loaded yet, the later values are evaluated concurrently. To get these, a is
// started again and the results that it has already yielded are skipped. That is safe
// because a has no side effects.
func (m *machine) pipe(e *env, in values.Located, a, b *node, y values.Yield) error {
	if m.Sequential() {
		return a.run(m, e, in, func(v values.Located) error { return b.run(m, e, v, y) })
	}
	return m.Run(&ahead.Region{
		From: func(t *ahead.Thread, y values.Yield) error { return a.run(machineOf(t), e, in, y) },
		Use:  func(t *ahead.Thread, v values.Located, y values.Yield) error { return b.run(machineOf(t), e, v, y) },
		Y:    y,
	})
}

// scouted calls the function use for every result of src, in order and one at a time,
// because a step may depend on the state after the previous step. At the same time, other
// goroutines call the function look for later results of src, to load what the later
// steps will probably read. The results and errors of look are dropped.
func (m *machine) scouted(e *env, in values.Located, src *node, look func(*machine, values.Located) error, use values.Yield) error {
	if !src.ahead(e) || m.Sequential() {
		return src.run(m, e, in, use)
	}
	return m.Run(&ahead.Region{
		From: func(t *ahead.Thread, y values.Yield) error { return src.run(machineOf(t), e, in, y) },
		Look: func(t *ahead.Thread, v values.Located) error { return look(machineOf(t), v) },
		Y:    use,
	})
}
