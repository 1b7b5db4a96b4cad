package eval

import (
	"context"
	"errors"

	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/syntax/native"
	"github.com/meshq/kubectl-meshq/query/values"
)

// node is a compiled part of a query. Exactly one of the functions one and gen is set:
// one if the node always yields exactly one result, gen otherwise.
type node struct {
	one func(*machine, *env, values.Located) (values.Located, error)
	gen func(*machine, *env, values.Located, values.Yield) error
	// multi is true if the results come from an iteration, so that the following steps
	// may be evaluated for several results concurrently.
	multi bool

	// ends is set if the last step of the node evaluates an argument. The node's results
	// are then those of the argument, so the node counts as multi if the argument's query
	// does.
	ends *scope
	// arg is 1 + the number of environments up to the argument's entry, if the node
	// evaluates an argument. It is 0 for all other nodes.
	arg int

	iter  bool       // whether the node iterates, as .[] does
	field string     // name of the field, if the node looks up a field, as .name does
	wants *predicate // first condition of the node on a field of its input; nil if there is none
	// known returns the node's result without evaluating anything. Its second result is
	// false if the node's result depends on the input.
	known func(e *env) (any, bool)
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

// ahead reports whether the node's results come from an iteration, given the arguments of
// the current call.
func (n *node) ahead(e *env) bool { return n.multi || n.arg > 0 && e.at(n.arg-1).n.multi }

var identity = one(func(_ *machine, _ *env, in values.Located) (values.Located, error) { return in, nil })

func constant(v any) *node {
	n := one(func(_ *machine, _ *env, in values.Located) (values.Located, error) { return in.Made(v), nil })
	n.known = func(*env) (any, bool) { return v, true }
	return n
}

// single reports whether each of the nodes always yields exactly one result.
func single(ns ...*node) bool {
	for _, n := range ns {
		if n.one == nil {
			return false
		}
	}
	return true
}

// place is a position in the text of a query or module.
type place struct {
	span syntax.Span
	prog *syntax.Program
}

// of adds this position to an error. It leaves errors unchanged that already have a
// position or were not caused by the query. A nil place returns all errors unchanged.
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

// placed returns a node that adds this position to its errors.
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
