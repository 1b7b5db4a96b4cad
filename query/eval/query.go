package eval

import (
	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/values"
)

// query compiles an expression.
func (c *compiler) query(q *syntax.Query, s *scope) *node { return c.queryAt(q, s, false) }

// queryAt compiles an expression; tail says that it is the last thing that the
// function around it does.
func (c *compiler) queryAt(q *syntax.Query, s *scope, tail bool) *node {
	c.nodes++
	switch {
	case len(q.FuncDefs) > 0:
		return c.withDefs(q.FuncDefs, s, func(s *scope) *node {
			rest := *q
			rest.FuncDefs = nil
			return c.queryAt(&rest, s, tail)
		})
	case q.Term != nil, q.Op == syntax.OpPipe:
		return c.seq(c.stagesAt(q, s, nil, tail))
	case q.Op == 0:
		c.fail(q.Span, `missing query (try ".")`)
	}
	return c.operator(q, s, tail)
}

func (c *compiler) operator(q *syntax.Query, s *scope, tail bool) *node {
	switch q.Op {
	case syntax.OpComma:
		return comma(c.query(q.Left, s), c.queryAt(q.Right, s, tail))
	case syntax.OpAlt:
		return alternative(c.query(q.Left, s), c.queryAt(q.Right, s, tail))
	case syntax.OpOr:
		t, f := constant(true), constant(false)
		return ifNode(c.query(q.Left, s), t, ifNode(c.query(q.Right, s), t, f))
	case syntax.OpAnd:
		t, f := constant(true), constant(false)
		return ifNode(c.query(q.Left, s), ifNode(c.query(q.Right, s), t, f), f)
	case syntax.OpModify:
		return modify(c.query(q.Left, s), c.query(q.Right, s), c.mark(q.OpSpan))
	case syntax.OpAssign:
		return c.assign(q, s)
	}
	if op, ok := updating[q.Op]; ok {
		return updateBy(c.query(q.Left, s), c.query(q.Right, s), op, c.mark(q.OpSpan))
	}
	return map2(c.query(q.Left, s), c.query(q.Right, s), values.Operator(q.Op), c.mark(q.OpSpan))
}

func comma(l, r *node) *node {
	return &node{multi: l.multi || r.multi, gen: func(m *machine, e *env, in values.Located, y values.Yield) error {
		if err := l.run(m, e, in, y); err != nil {
			return err
		}
		return r.run(m, e, in, y)
	}}
}

// alternative is l // r: the results of l that are neither null nor false, or
// those of r when there are none. An error of l's ends it.
func alternative(l, r *node) *node {
	return gen(func(m *machine, e *env, in values.Located, y values.Yield) error {
		found := false
		err := l.run(m, e, in, func(v values.Located) error {
			t, err := m.Truthy(v.V)
			if err != nil || !t {
				return err
			}
			found = true
			return y(v)
		})
		if err != nil || found {
			return err
		}
		return r.run(m, e, in, y)
	})
}

// map2 combines the results of l and r; r varies more slowly.
func map2(l, r *node, f values.Operation, at *place) *node {
	if single(l, r) {
		return one(func(m *machine, e *env, in values.Located) (values.Located, error) {
			b, err := r.one(m, e, values.Plain(in))
			if err != nil {
				return b, err
			}
			a, err := l.one(m, e, values.Plain(in))
			if err != nil {
				return a, err
			}
			v, err := f(&m.Task, a.V, b.V)
			if err != nil {
				return in, at.of(err)
			}
			return in.Made(v), nil
		})
	}
	return gen(func(m *machine, e *env, in values.Located, y values.Yield) error {
		return r.run(m, e, values.Plain(in), func(b values.Located) error {
			return l.run(m, e, values.Plain(in), func(a values.Located) error {
				v, err := f(&m.Task, a.V, b.V)
				if err != nil {
					return at.of(err)
				}
				return y(in.Made(v))
			})
		})
	})
}

// map1 applies f to the results of x.
func map1(x *node, f func(m *values.Task, v any) (any, error), at *place) *node {
	if x.one != nil {
		return one(func(m *machine, e *env, in values.Located) (values.Located, error) {
			a, err := x.one(m, e, values.Plain(in))
			if err != nil {
				return a, err
			}
			v, err := f(&m.Task, a.V)
			if err != nil {
				return in, at.of(err)
			}
			return in.Made(v), nil
		})
	}
	return gen(func(m *machine, e *env, in values.Located, y values.Yield) error {
		return x.gen(m, e, values.Plain(in), func(a values.Located) error {
			v, err := f(&m.Task, a.V)
			if err != nil {
				return at.of(err)
			}
			return y(in.Made(v))
		})
	})
}
