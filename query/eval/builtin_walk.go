package eval

import (
	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// walker is walk(f): f of a value whose parts were walked before.
type walker struct{ *cycle }

func walk(c *compiler, f *syntax.Func, s *scope) *node {
	w := &walker{c.cycle(f.Args[0], s)}
	return gen(func(m *mach, e *env, in pv, y yield) error {
		return w.run(m, e, plain(in), func(v pv) error { return y(in.val(v.v)) })
	})
}

// run gives every result of f for a value.
func (w *walker) run(m *mach, e *env, in pv, y yield) error {
	was, err := m.enter(w.weight)
	if err != nil {
		return err
	}
	defer m.leave(was)
	v, err := m.force(in.v)
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
	return w.next.run(m, e, pv{v, nil}, y)
}

// array has all results for each element.
func (w *walker) array(m *mach, e *env, x []any) (any, error) {
	out := make([]any, 0, len(x))
	err := m.ahead(e, pv{x, nil}, w.run, func(v pv) (err error) {
		out, err = m.push(out, v.v)
		return err
	})
	return out, err
}

// object has the first result for each member, and none where there is none.
func (w *walker) object(m *mach, e *env, x *object.Object) (any, error) {
	out := object.New(x.Len())
	for k, v := range x.All() {
		given := false
		err := w.run(m, e, pv{v, nil}, func(v pv) error {
			out.Set(k, v.v)
			given = true
			return errStop
		})
		if err != nil && !given {
			return nil, err
		}
	}
	return out, m.alloc(entrySize * out.Len())
}
