package eval

import (
	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/values"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// walker is walk(f): f of a value whose parts were walked before.
type walker struct{ *cycle }

func walk(c *compiler, f *syntax.Func, s *scope) *node {
	w := &walker{c.cycle(f.Args[0], s)}
	return gen(func(m *machine, e *env, in values.Located, y values.Yield) error {
		return w.run(m, e, values.Plain(in), func(v values.Located) error { return y(in.Made(v.V)) })
	})
}

// run gives every result of f for a value.
func (w *walker) run(m *machine, e *env, in values.Located, y values.Yield) error {
	was, err := m.Enter(w.weight)
	if err != nil {
		return err
	}
	defer m.Leave(was)
	v, err := m.Force(in.V)
	if err != nil {
		return err
	}
	switch x := v.(type) {
	case []any:
		v, err = w.array(m, e, x)
	case *object.Object:
		v, err = w.object(m, e, x)
	}
	if err != nil {
		return err
	}
	return w.next.run(m, e, values.Located{V: v}, y)
}

// array has all results for each element.
func (w *walker) array(m *machine, e *env, x []any) (any, error) {
	out := make([]any, 0, len(x))
	err := m.ahead(e, values.Located{V: x}, w.run, func(v values.Located) (err error) {
		out, err = m.Push(out, v.V)
		return err
	})
	return out, err
}

// object has the first result for each member, and none where there is none.
func (w *walker) object(m *machine, e *env, x *object.Object) (any, error) {
	out := object.New(x.Len())
	for k, v := range x.All() {
		given := false
		err := w.run(m, e, values.Located{V: v}, func(v values.Located) error {
			out.Set(k, v.V)
			given = true
			return values.ErrStop
		})
		if err != nil && !given {
			return nil, err
		}
	}
	return out, m.Alloc(values.EntrySize * out.Len())
}
