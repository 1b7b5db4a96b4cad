package eval

import (
	"slices"

	"github.com/meshq/kubectl-meshq/query/ahead"
	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/values"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// node makes the node of a call of a native.
func (n *Native) node(c *compiler, f *syntax.Func, s *scope) *node {
	if n.Value != nil {
		return c.apply(f, s, n.value)
	}
	args, at := c.args(f, s), c.mark(f.Span)
	return &node{multi: true, gen: func(m *machine, e *env, in values.Located, y values.Yield) error {
		return m.combine(e, in, args, func(vs []any) error {
			a := &apart{y: y}
			err := n.Each(m.called(in.V, slices.Clone(vs)), func(v any) error {
				m.Loaded()
				return m.Step(v, in.Made(v), a.yield)
			})
			m.Loaded()
			if err, passed := a.passed(err); passed || err == nil {
				return err
			}
			return values.NameProxy(at.of(m.Failed(err)), in.V)
		})
	}}
}

func (n *Native) value(m *machine, in any, args []any) (any, error) {
	v, err := n.Value(m.called(in, args))
	m.Loaded()
	if err != nil {
		return nil, m.Failed(err)
	}
	return v, nil
}

func (m *machine) called(in any, args []any) *Call {
	return &Call{Ctx: m.Ctx, In: in, Args: args, Note: func(s string) { m.Report(ahead.Event{Note: s}) }, Fault: func(f *mesh.Fault) { _ = m.Failed(f) }}
}
