package eval

import (
	"github.com/meshq/kubectl-meshq/query/values"
)

// node is compiled code. It has one when it gives exactly one result for every
// input, gen otherwise.
type node struct {
	one   func(*machine, *env, values.Located) (values.Located, error)
	gen   func(*machine, *env, values.Located, values.Yield) error
	multi bool // its results come from an iteration: worth running ahead of what follows

	// ends is the argument whose results it gives, when it ends with one: it is
	// multi when the query given for that is.
	ends *scope
	arg  int // for the argument itself: how far up it is, and one more

	iter  bool                     // it is .[]
	field string                   // it is .field
	wants *predicate               // of its input
	known func(e *env) (any, bool) // what it gives for every input, evaluating nothing; false where that isn't known
}

func one(f func(*machine, *env, values.Located) (values.Located, error)) *node { return &node{one: f} }
func gen(f func(*machine, *env, values.Located, values.Yield) error) *node     { return &node{gen: f} }

func (n *node) run(m *machine, e *env, in values.Located, y values.Yield) error {
	if n.one != nil {
		v, err := n.one(m, e, in)
		if err != nil {
			return err
		}
		return y(v)
	}
	return n.gen(m, e, in, y)
}

// ahead tells whether its results come from an iteration, as it is called here.
func (n *node) ahead(e *env) bool { return n.multi || n.arg > 0 && e.at(n.arg-1).n.multi }

var identity = one(func(_ *machine, _ *env, in values.Located) (values.Located, error) { return in, nil })

func constant(v any) *node {
	n := one(func(_ *machine, _ *env, in values.Located) (values.Located, error) { return in.Made(v), nil })
	n.known = func(*env) (any, bool) { return v, true }
	return n
}

// both tells whether all of these always give one result.
func single(ns ...*node) bool {
	for _, n := range ns {
		if n.one == nil {
			return false
		}
	}
	return true
}
