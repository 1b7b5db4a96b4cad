package eval

import (
	"github.com/meshq/kubectl-meshq/query/ahead"
	"github.com/meshq/kubectl-meshq/query/values"
)

// machine is the state of one goroutine of a run.
type machine struct {
	ahead.Thread
	run  *runState
	next tailCall // to be made by the function that is being evaluated
}

// runState is what all goroutines of a run share.
type runState struct {
	opts  *RunOptions
	hints hints
}

func newMachine(r *runState) *machine {
	m := &machine{run: r}
	m.Owner = m
	return m
}

// machineOf returns the machine that a thread is a part of.
func machineOf(t *ahead.Thread) *machine { return t.Owner.(*machine) }

// pipe runs b on every result of a, which is an iteration. As soon as a gives
// a value that is still to be loaded, b runs ahead on the values after it. jq
// is pure: for that a is simply started again, and its results so far skipped.
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

// scouted runs use on every result of src, in order and alone: each step may
// need what the one before it left. What they are likely to load is loaded
// ahead, by evaluating look, whose results and errors don't count.
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
