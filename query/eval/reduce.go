package eval

import "github.com/meshq/kubectl-meshq/query/syntax"

// reduce and foreach are sequential by nature: each step needs the state that
// the one before it left. What is ahead can only be scouted; see scout.go.

func (c *compiler) reduce(x *syntax.Reduce, s *scope) *node {
	src, start := c.query(x.Query, s), c.query(x.Start, s)
	in, match := c.patterns(x.Patterns, s)
	r := &reduction{src: src, match: match, update: c.query(x.Update, in)}
	if start.one != nil {
		return one(func(m *mach, e *env, in pv) (pv, error) {
			st, err := start.one(m, e, plain(in))
			if err != nil {
				return st, err
			}
			v, err := r.run(m, e, plain(in), st.v)
			return in.val(v), err
		})
	}
	return gen(func(m *mach, e *env, in pv, y yield) error {
		return start.run(m, e, plain(in), func(st pv) error {
			v, err := r.run(m, e, plain(in), st.v)
			if err != nil {
				return err
			}
			return y(in.val(v))
		})
	})
}

type reduction struct {
	src, update *node
	match       binding
}

func (r *reduction) run(m *mach, e *env, in pv, state any) (any, error) {
	start := state
	look := func(m *mach, v pv) error {
		return r.match(m, e, v.v, func(e *env) error {
			return r.update.run(m, e, pv{start, nil}, func(pv) error { return nil })
		})
	}
	err := m.scouted(e, in, r.src, look, func(v pv) error {
		before := state
		err := r.match(m, e, v.v, func(e *env) error {
			return r.update.run(m, e, pv{state, nil}, func(v pv) error {
				state = v.v
				return nil
			})
		})
		if err != nil {
			state = before // should a fault drop the element
		}
		return err
	})
	return state, err
}

func (c *compiler) foreach(x *syntax.Foreach, s *scope) *node {
	f := &loop{src: c.query(x.Query, s), extract: identity}
	start := c.query(x.Start, s)
	in, match := c.patterns(x.Patterns, s)
	f.match, f.update = match, c.query(x.Update, in)
	if x.Extract != nil {
		f.extract = c.query(x.Extract, in)
	}
	return gen(func(m *mach, e *env, in pv, y yield) error {
		return start.run(m, e, plain(in), func(st pv) error { return f.run(m, e, in, st.v, y) })
	})
}

type loop struct {
	src, update, extract *node
	match                binding
}

func (f *loop) run(m *mach, e *env, in pv, state any, y yield) error {
	start := state
	look := func(m *mach, v pv) error {
		return f.match(m, e, v.v, func(e *env) error {
			return f.update.run(m, e, pv{start, nil}, func(w pv) error {
				return f.extract.run(m, e, w, func(pv) error { return nil })
			})
		})
	}
	return m.scouted(e, in, f.src, look, func(v pv) error {
		before, given := state, false
		err := f.match(m, e, v.v, func(e *env) error {
			return f.update.run(m, e, v.val(state), func(w pv) error {
				state = w.v
				return f.extract.run(m, e, w, func(w pv) error {
					given = true
					return y(w)
				})
			})
		})
		if err != nil && !given {
			state = before // should a fault drop the element
		}
		return err
	})
}
