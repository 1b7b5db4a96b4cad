package eval

import (
	"context"
	"errors"

	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/syntax/native"
	"github.com/meshq/kubectl-meshq/query/values"
)

// node is compiled code. Exactly one of one and gen is set: one if it yields
// exactly one result for every input.
type node struct {
	one   func(*machine, *env, values.Located) (values.Located, error)
	gen   func(*machine, *env, values.Located, values.Yield) error
	multi bool // its results come from an iteration, so what follows may be evaluated ahead

	// ends is the argument that the node ends with, if it does: its results are
	// those of the argument, so the node is multi if the argument's query is.
	ends *scope
	arg  int // if it is an argument itself: 1 + the steps up to its entry; else 0

	iter  bool                     // it is .[]
	field string                   // it is .field
	wants *predicate               // its leading predicate, or nil
	known func(e *env) (any, bool) // returns its result for every input without evaluating anything; false if that isn't known
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

// ahead reports whether the node's results come from an iteration in this call.
func (n *node) ahead(e *env) bool { return n.multi || n.arg > 0 && e.at(n.arg-1).n.multi }

var identity = one(func(_ *machine, _ *env, in values.Located) (values.Located, error) { return in, nil })

func constant(v any) *node {
	n := one(func(_ *machine, _ *env, in values.Located) (values.Located, error) { return in.Made(v), nil })
	n.known = func(*env) (any, bool) { return v, true }
	return n
}

// single reports whether each of the nodes always yields one result.
func single(ns ...*node) bool {
	for _, n := range ns {
		if n.one == nil {
			return false
		}
	}
	return true
}

// place is a position in the user's text.
type place struct {
	span syntax.Span
	prog *syntax.Program
}

// of returns the error with this place, unless it has one already or does not
// come from the query. A nil place returns the error as it is.
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

// placed returns a node whose errors have the place.
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
