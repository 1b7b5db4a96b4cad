package eval

import (
	"slices"

	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// node makes the node of a call of a native.
func (n *Native) node(c *compiler, f *syntax.Func, s *scope) *node {
	if n.Value != nil {
		return c.apply(f, s, n.value)
	}
	args, at := c.args(f, s), c.mark(f.Span)
	return &node{multi: true, gen: func(m *mach, e *env, in pv, y yield) error {
		return m.combine(e, in, args, func(vs []any) error {
			a := &apart{y: y}
			err := n.Each(m.called(in.v, slices.Clone(vs)), func(v any) error {
				m.at.ends()
				return m.step(v, in.val(v), a.yield)
			})
			m.at.ends()
			if err, passed := a.passed(err); passed || err == nil {
				return err
			}
			return about(at.of(m.met(err)), in.v)
		})
	}}
}

func (n *Native) value(m *mach, in any, args []any) (any, error) {
	v, err := n.Value(m.called(in, args))
	m.at.ends()
	if err != nil {
		return nil, m.met(err)
	}
	return v, nil
}

func (m *mach) called(in any, args []any) *Call {
	return &Call{Ctx: m.ctx, In: in, Args: args, Note: func(s string) { m.tell(event{note: s}) }, Fault: func(f *mesh.Fault) { _ = m.met(f) }}
}
