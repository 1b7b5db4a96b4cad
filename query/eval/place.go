package eval

import (
	"context"
	"errors"

	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/syntax/native"
	"github.com/meshq/kubectl-meshq/query/values"
)

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
