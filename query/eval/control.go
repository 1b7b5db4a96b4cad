package eval

import (
	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// control compiles the terms that decide what is evaluated.
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
		return gen(func(_ *mach, e *env, _ pv, _ yield) error {
			return &breakError{e.at(d).v.(*byte)}
		})
	}
	c.fail(t.Span, "unknown term")
	return nil
}

func (c *compiler) cond(x *syntax.If, s *scope, tail bool) *node {
	cond, then := c.query(x.Cond, s), c.queryAt(x.Then, s, tail)
	els := identity
	if len(x.Elif) > 0 {
		els = c.cond(&syntax.If{Cond: x.Elif[0].Cond, Then: x.Elif[0].Then, Elif: x.Elif[1:], Else: x.Else}, s, tail)
	} else if x.Else != nil {
		els = c.queryAt(x.Else, s, tail)
	}
	return ifNode(cond, then, els)
}

func ifNode(cond, then, els *node) *node {
	if single(cond, then, els) {
		return one(func(m *mach, e *env, in pv) (pv, error) {
			v, err := cond.one(m, e, plain(in))
			if err != nil {
				return v, err
			}
			t, err := m.truthy(v.v)
			if err != nil {
				return v, err
			}
			if t {
				return then.one(m, e, in)
			}
			return els.one(m, e, in)
		})
	}
	choose := func(m *mach, e *env, in, v pv, y yield) error {
		t, err := m.truthy(v.v)
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
		n.gen = func(m *mach, e *env, in pv, y yield) error {
			v, err := f(m, e, plain(in))
			if err != nil {
				return err
			}
			return choose(m, e, in, v, y)
		}
		return n
	}
	n.gen = func(m *mach, e *env, in pv, y yield) error {
		return cond.gen(m, e, plain(in), func(v pv) error { return choose(m, e, in, v, y) })
	}
	return n
}

// apart hands results on so that an error of what follows can be told from
// one of the body's own: it goes up through the body as [*down].
type apart struct {
	y yield
	d *down
}

func (a *apart) yield(v pv) error {
	err := a.y(v)
	if err == nil {
		return nil
	}
	a.d = &down{err}
	return a.d
}

// passed tells whether err is what follows, and gives it as it was.
func (a *apart) passed(err error) (error, bool) {
	if a.d != nil && err == error(a.d) {
		return a.d.err, true
	}
	return err, false
}

// try gives what body gives until it raises an error, then what catch makes of
// that; nothing when catch is nil. A section that can't be had is such an
// error: who writes try .clusters asks for them here.
func try(body, catch *node) *node {
	return gen(func(m *mach, e *env, in pv, y yield) error {
		var err error
		if f := body.one; f != nil {
			var v pv
			if v, err = f(m, e, in); err == nil {
				err = m.had(v.v)
			}
			if err == nil {
				return y(v)
			}
		} else {
			a := &apart{y: y}
			var passed bool
			err, passed = a.passed(body.gen(m, e, in, func(v pv) error {
				if err := m.had(v.v); err != nil {
					return err
				}
				return a.yield(v)
			}))
			if passed {
				return err
			}
		}
		if err == nil || fatal(err) {
			return err
		}
		if catch == nil {
			return nil
		}
		return catch.run(m, e, in.val(caught(err)), y)
	})
}

// had looks at a section, whether it can be had.
func (m *mach) had(v any) error {
	if _, ok := v.(mesh.Sectional); !ok {
		return nil
	}
	_, err := m.force(v)
	return err
}

func label(body *node) *node {
	return gen(func(m *mach, e *env, in pv, y yield) error {
		id := new(byte)
		err := body.run(m, &env{up: e, v: id}, in, y)
		if b, ok := err.(*breakError); ok && b.label == id {
			return nil
		}
		return err
	})
}
