package eval

import (
	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/values"
)

// bind is left as patterns | right. With several patterns an error, also one of
// what follows, makes the next one be tried: all has to happen in its turn, and
// nothing runs ahead.
func (c *compiler) bind(q *syntax.Query, s *scope, tail bool) *node {
	src := c.query(q.Left, s)
	if src.multi && len(q.Patterns) == 1 {
		return c.bindAhead(q, src, s)
	}
	in, match := c.patterns(q.Patterns, s)
	simple := len(q.Patterns) == 1 && q.Patterns[0].Name != ""
	body := c.queryAt(q.Right, in, tail && simple && src.one != nil)
	if simple && single(src, body) {
		return one(func(m *machine, e *env, in values.Located) (values.Located, error) {
			v, err := src.one(m, e, values.Plain(in))
			if err != nil {
				return v, err
			}
			return body.one(m, &env{up: e, v: v.V}, in)
		})
	}
	if simple && src.one != nil {
		return &node{multi: body.multi, gen: func(m *machine, e *env, in values.Located, y values.Yield) error {
			v, err := src.one(m, e, values.Plain(in))
			if err != nil {
				return err
			}
			return body.gen(m, &env{up: e, v: v.V}, in, y)
		}}
	}
	multi := body.multi && len(q.Patterns) == 1
	return &node{multi: multi, gen: func(m *machine, e *env, in values.Located, y values.Yield) error {
		return src.run(m, e, values.Plain(in), func(v values.Located) error {
			return match(m, e, v.V, func(e *env) error { return body.run(m, e, in, y) })
		})
	}}
}

// bindAhead is for a source that is an iteration. Its results go down the
// pipe, perhaps ahead of the consumer; the input waits in a nameless variable.
func (c *compiler) bindAhead(q *syntax.Query, src *node, s *scope) *node {
	in, match := c.patterns(q.Patterns, &scope{up: s})
	body := c.query(q.Right, in)
	source := &node{multi: true, gen: func(m *machine, e *env, in values.Located, y values.Yield) error { return src.gen(m, e.up, in, y) }}
	rest := gen(func(m *machine, e *env, v values.Located, y values.Yield) error {
		in := e.v.(*values.Located)
		return match(m, e, v.V, func(e *env) error { return body.run(m, e, *in, y) })
	})
	return &node{multi: true, gen: func(m *machine, e *env, in values.Located, y values.Yield) error {
		return m.pipe(&env{up: e, v: &in}, values.Plain(in), source, rest, y)
	}}
}
