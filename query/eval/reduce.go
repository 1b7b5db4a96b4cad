package eval

import (
	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/values"
)

// reduce and foreach are sequential by nature: each step needs the state that
// the one before it left. What is ahead can only be scouted; see scout.go.

func (c *compiler) reduce(x *syntax.Reduce, s *scope) *node {
	src, start := c.query(x.Query, s), c.query(x.Start, s)
	in, match := c.patterns(x.Patterns, s)
	r := &reduction{src: src, match: match, update: c.query(x.Update, in)}
	if start.one != nil {
		return one(func(m *machine, e *env, in values.Located) (values.Located, error) {
			st, err := start.one(m, e, values.Plain(in))
			if err != nil {
				return st, err
			}
			v, err := r.run(m, e, values.Plain(in), st.V)
			return in.Made(v), err
		})
	}
	return gen(func(m *machine, e *env, in values.Located, y values.Yield) error {
		return start.run(m, e, values.Plain(in), func(st values.Located) error {
			v, err := r.run(m, e, values.Plain(in), st.V)
			if err != nil {
				return err
			}
			return y(in.Made(v))
		})
	})
}

type reduction struct {
	src, update *node
	match       binding
}

func (r *reduction) run(m *machine, e *env, in values.Located, state any) (any, error) {
	start := state
	look := func(m *machine, v values.Located) error {
		return r.match(m, e, v.V, func(e *env) error {
			return r.update.run(m, e, values.Located{V: start}, func(values.Located) error { return nil })
		})
	}
	err := m.scouted(e, in, r.src, look, func(v values.Located) error {
		before := state
		err := r.match(m, e, v.V, func(e *env) error {
			return r.update.run(m, e, values.Located{V: state}, func(v values.Located) error {
				state = v.V
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
	return gen(func(m *machine, e *env, in values.Located, y values.Yield) error {
		return start.run(m, e, values.Plain(in), func(st values.Located) error { return f.run(m, e, in, st.V, y) })
	})
}

type loop struct {
	src, update, extract *node
	match                binding
}

func (f *loop) run(m *machine, e *env, in values.Located, state any, y values.Yield) error {
	start := state
	look := func(m *machine, v values.Located) error {
		return f.match(m, e, v.V, func(e *env) error {
			return f.update.run(m, e, values.Located{V: start}, func(w values.Located) error {
				return f.extract.run(m, e, w, func(values.Located) error { return nil })
			})
		})
	}
	return m.scouted(e, in, f.src, look, func(v values.Located) error {
		before, given := state, false
		err := f.match(m, e, v.V, func(e *env) error {
			return f.update.run(m, e, v.Made(state), func(w values.Located) error {
				state = w.V
				return f.extract.run(m, e, w, func(w values.Located) error {
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
