package eval

import "github.com/meshq/kubectl-meshq/query/syntax"

// walk is walk(f): f of a value whose parts were walked before.
func (c *compiler) walk(f *syntax.Func, s *scope) *node {
	w := &walker{cycle: c.cycle(f.Args[0], s)}
	return gen(func(m *mach, e *env, in pv, y yield) error {
		return w.run(m, e, in.v, func(v any) error { return y(in.val(v)) })
	})
}

type walker struct{ *cycle }

// run calls use with every result of f for v.
func (w *walker) run(m *mach, e *env, v any, use func(any) error) error {
	if err := m.enter(w.weight); err != nil {
		return err
	}
	defer m.leave(w.weight)
	v, err := m.force(v)
	if err != nil {
		return err
	}
	switch x := v.(type) {
	case []any:
		v, err = w.array(m, e, x)
	case map[string]any:
		v, err = w.object(m, e, x)
	}
	if err != nil {
		return err
	}
	return w.next.run(m, e, pv{v, nil}, func(u pv) error { return use(u.v) })
}

// array has all results for each element.
func (w *walker) array(m *mach, e *env, x []any) (any, error) {
	out := make([]any, 0, len(x))
	err := m.each(pv{x, nil}, func(el pv) error {
		return w.run(m, e, el.v, func(v any) (err error) {
			out, err = m.push(out, v)
			return err
		})
	})
	return out, err
}

// object has the first result for each member, and none where there is none.
func (w *walker) object(m *mach, e *env, x map[string]any) (any, error) {
	out := make(map[string]any, len(x))
	for _, k := range sortedKeys(x) {
		given := false
		err := w.run(m, e, x[k], func(v any) error {
			out[k], given = v, true
			return errStop
		})
		if err != nil && !given {
			return nil, err
		}
	}
	return out, m.alloc(entrySize * len(out))
}
