package eval

import (
	"context"
	"errors"

	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/syntax/native"
	"github.com/meshq/kubectl-meshq/query/values"
)

// node is compiled code. Exactly one of the functions one and gen is set. It is one
// if the node yields exactly one result for every input.
type node struct {
	one   func(*machine, *env, values.Located) (values.Located, error)
	gen   func(*machine, *env, values.Located, values.Yield) error
	multi bool // whether the results come from an iteration, so that the next steps may be evaluated ahead of the consumer

	// ends is set if the node ends with an argument. The node's results are then
	// those of the argument, so the node is multi if the argument's query is multi.
	ends *scope
	arg  int // if the node evaluates an argument, 1 + the number of environments up to the argument's entry; else 0

	iter  bool                     // whether the node iterates, as .[] does
	field string                   // the field's name if the node looks up a field, as .name does
	wants *predicate               // the node's leading predicate, or nil
	known func(e *env) (any, bool) // returns the node's result without evaluating anything, if it is the same for every input; else false
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

// of adds this position to an error, unless the error already has one or does not
// come from the query. A nil place returns the error unchanged.
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

// placed returns a node whose errors have this position.
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
