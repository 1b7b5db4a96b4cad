package eval

import (
	"context"
	"errors"

	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/syntax/native"
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

// place is where in the user's text something stands.
type place struct {
	span syntax.Span
	prog *syntax.Program
}

// of gives the error its place, unless it has one, or is no error of the
// query's. A nil place leaves it as it is.
func (p *place) of(err error) error {
	if p == nil || err == nil {
		return err
	}
	switch err.(type) {
	case *values.Error, *values.Downstream, *values.ConsumerError, *values.BreakError, *values.Halt, *native.Halt, *values.Panic:
		return err
	}
	if err == values.ErrStop || err == values.ErrTail || values.AsFault(err) == nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		return err
	}
	return &values.Error{Err: err, Span: p.span, Program: p.prog}
}

// placed gives a node's errors the place.
func (p *place) placed(n *node) *node {
	if p == nil {
		return n
	}
	if f := n.one; f != nil {
		return one(func(m *machine, e *env, in values.Located) (values.Located, error) {
			v, err := f(m, e, in)
			if err != nil {
				err = p.of(err)
			}
			return v, err
		})
	}
	f := n.gen
	return &node{multi: n.multi, wants: n.wants, gen: func(m *machine, e *env, in values.Located, y values.Yield) error {
		if err := f(m, e, in, y); err != nil {
			return p.of(err)
		}
		return nil
	}}
}
