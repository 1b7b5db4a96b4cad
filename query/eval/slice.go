package eval

import (
	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/values"
)

// slice is head[start:end]. The start varies most slowly, the head fastest.
func (c *compiler) slice(x *syntax.Index, at *place, head *node, s *scope) *node {
	start, end := c.edge(x.Start, s), c.edge(x.End, s)
	if single(start, end, head) {
		return one(func(m *machine, e *env, in values.Located) (values.Located, error) {
			a, err := start.one(m, e, values.Plain(in))
			if err != nil {
				return a, err
			}
			b, err := end.one(m, e, values.Plain(in))
			if err != nil {
				return b, err
			}
			h, err := head.one(m, e, in)
			if err != nil {
				return h, err
			}
			v, err := values.Slice(&m.Task, h, a.V, b.V)
			return v, values.NameProxy(at.of(err), h.V)
		})
	}
	return gen(func(m *machine, e *env, in values.Located, y values.Yield) error {
		return start.run(m, e, values.Plain(in), func(a values.Located) error {
			return end.run(m, e, values.Plain(in), func(b values.Located) error {
				return head.run(m, e, in, func(h values.Located) error {
					v, err := values.Slice(&m.Task, h, a.V, b.V)
					if err != nil {
						return values.NameProxy(at.of(err), h.V)
					}
					return y(v)
				})
			})
		})
	})
}

func (c *compiler) edge(q *syntax.Query, s *scope) *node {
	if q == nil {
		return constant(nil)
	}
	return c.query(q, s)
}
