package eval

import (
	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/values"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// control compiles if, try, reduce, foreach, label and break.
func (c *compiler) control(t *syntax.Term, s *scope, tail bool) *node {
	switch t.Type {
	case syntax.TermIf:
		return c.cond(t.If, s, tail)
	case syntax.TermTry:
		body := c.query(t.Try.Body, s)
		if t.Try.Catch == nil {
			return try(body, nil)
		}
		return try(body, c.query(t.Try.Catch, s))
	case syntax.TermReduce:
		return c.reduce(t.Reduce, s)
	case syntax.TermForeach:
		return c.foreach(t.Foreach, s)
	case syntax.TermLabel:
		c.stops = true
		return label(c.query(t.Label.Body, &scope{up: s, name: "label " + t.Label.Ident}))
	case syntax.TermBreak:
		x, d := s.find("label " + t.Break)
		if x == nil {
			c.fail(t.Span, "label not defined: %s", t.Break)
		}
		return gen(func(_ *machine, e *env, _ values.Located, _ values.Yield) error {
			return &values.BreakError{Label: e.at(d).v.(*byte)}
		})
	}
	c.fail(t.Span, "unknown term")
	return nil
}

func (c *compiler) cond(x *syntax.If, s *scope, tail bool) *node {
	branches := []branch{{c.query(x.Cond, s), c.queryAt(x.Then, s, tail)}}
	for _, e := range x.Elif {
		branches = append(branches, branch{c.query(e.Cond, s), c.queryAt(e.Then, s, tail)})
	}
	els := identity
	if x.Else != nil {
		els = c.queryAt(x.Else, s, tail)
	}
	for i := len(branches) - 1; i >= 0; i-- {
		if branches[i].cond.one == nil {
			els = ifNode(branches[i].cond, branches[i].then, els)
			continue
		}
		// consecutive conditions with one result each become one node, which needs less
		// stack than nested nodes
		first := i
		for first > 0 && branches[first-1].cond.one != nil {
			first--
		}
		els = choice(branches[first:i+1], els)
		i = first
	}
	return els
}

// A branch is a condition, and the code to evaluate if the condition is true.
type branch struct{ cond, then *node }

// choice evaluates the first branch whose condition is true, or els if none is. Each
// condition must yield exactly one result.
func choice(branches []branch, els *node) *node {
	if len(branches) == 1 {
		return ifNode(branches[0].cond, branches[0].then, els)
	}
	isOne, multi := els.one != nil, els.multi
	for _, b := range branches {
		isOne, multi = isOne && b.then.one != nil, multi || b.then.multi
	}
	choose := func(m *machine, e *env, in values.Located) (*node, error) {
		for _, b := range branches {
			v, err := b.cond.one(m, e, values.Plain(in))
			if err != nil {
				return nil, err
			}
			t, err := m.Truthy(v.V)
			if err != nil {
				return nil, err
			}
			if t {
				return b.then, nil
			}
		}
		return els, nil
	}
	if isOne {
		return one(func(m *machine, e *env, in values.Located) (values.Located, error) {
			n, err := choose(m, e, in)
			if err != nil {
				return in, err
			}
			return n.one(m, e, in)
		})
	}
	return &node{multi: multi, gen: func(m *machine, e *env, in values.Located, y values.Yield) error {
		n, err := choose(m, e, in)
		if err != nil {
			return err
		}
		return n.run(m, e, in, y)
	}}
}

func ifNode(cond, then, els *node) *node {
	if single(cond, then, els) {
		return one(func(m *machine, e *env, in values.Located) (values.Located, error) {
			v, err := cond.one(m, e, values.Plain(in))
			if err != nil {
				return v, err
			}
			t, err := m.Truthy(v.V)
			if err != nil {
				return v, err
			}
			if t {
				return then.one(m, e, in)
			}
			return els.one(m, e, in)
		})
	}
	choose := func(m *machine, e *env, in, v values.Located, y values.Yield) error {
		t, err := m.Truthy(v.V)
		if err != nil {
			return err
		}
		if t {
			return then.run(m, e, in, y)
		}
		return els.run(m, e, in, y)
	}
	n := &node{multi: then.multi || els.multi}
	if f := cond.one; f != nil {
		n.gen = func(m *machine, e *env, in values.Located, y values.Yield) error {
			v, err := f(m, e, values.Plain(in))
			if err != nil {
				return err
			}
			return choose(m, e, in, v, y)
		}
		return n
	}
	n.gen = func(m *machine, e *env, in values.Located, y values.Yield) error {
		return cond.gen(m, e, values.Plain(in), func(v values.Located) error { return choose(m, e, in, v, y) })
	}
	return n
}

// apart passes results on to the consumer, and wraps the consumer's errors in a
// [*values.Downstream]. So the caller can distinguish them from errors of the code that
// yields the results.
type apart struct {
	y values.Yield
	d *values.Downstream
}

func (a *apart) yield(v values.Located) error {
	err := a.y(v)
	if err == nil {
		return nil
	}
	a.d = &values.Downstream{Err: err}
	return a.d
}

// passed reports whether err came from the consumer, and returns the unwrapped error.
func (a *apart) passed(err error) (error, bool) {
	if a.d != nil && err == error(a.d) {
		return a.d.Err, true
	}
	return err, false
}

// try yields the results of body until body raises an error. Then it yields the results
// of catch for that error, or nothing if catch is nil. A result that is an unavailable
// section also counts as an error, because a user who writes "try .clusters" expects try
// to handle it.
func try(body, catch *node) *node {
	return gen(func(m *machine, e *env, in values.Located, y values.Yield) error {
		var err error
		if f := body.one; f != nil {
			var v values.Located
			if v, err = f(m, e, in); err == nil {
				err = m.available(v.V)
			}
			if err == nil {
				return y(v)
			}
		} else {
			a := &apart{y: y}
			var passed bool
			err, passed = a.passed(body.gen(m, e, in, func(v values.Located) error {
				if err := m.available(v.V); err != nil {
					return err
				}
				return a.yield(v)
			}))
			if passed {
				return err
			}
		}
		if err == nil || values.IsUncatchable(err) {
			return err
		}
		if catch == nil {
			return nil
		}
		return catch.run(m, e, in.Made(values.Caught(err)), y)
	})
}

// available loads v if v is a section of a proxy, such as its clusters. It returns an
// error if the section is unavailable.
func (m *machine) available(v any) error {
	if _, ok := v.(mesh.Sectional); !ok {
		return nil
	}
	_, err := m.Force(v)
	return err
}

func label(body *node) *node {
	return gen(func(m *machine, e *env, in values.Located, y values.Yield) error {
		id := new(byte)
		err := body.run(m, &env{up: e, v: id}, in, y)
		if b, ok := err.(*values.BreakError); ok && b.Label == id {
			return nil
		}
		return err
	})
}

// reduce and foreach are sequential, because each step needs the state after the previous
// step. Only workers called scouts run ahead of them, to start loads early.

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
			state = before // if a failed load drops the element, the state must be as if the element didn't exist
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
			state = before // if a failed load drops the element, the state must be as if the element didn't exist
		}
		return err
	})
}
