package eval

import (
	"github.com/meshq/kubectl-meshq/query/ahead"
	"github.com/meshq/kubectl-meshq/query/builtin"
	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/values"
)

// controlBuiltins returns the builtins that select values or stop a generator, such as
// select, first and limit.
func controlBuiltins() map[string]maker {
	table := map[string]maker{
		"empty/0": func(*compiler, *syntax.Func, *scope) *node {
			return gen(func(*machine, *env, values.Located, values.Yield) error { return nil })
		},
		"error/0": value(func(m *values.Task, in any, _ []any) (any, error) { return nil, m.Raise(in) }),
		"error/1": value(func(m *values.Task, _ any, a []any) (any, error) { return nil, m.Raise(a[0]) }),
		"not/0": value(func(m *values.Task, in any, _ []any) (any, error) {
			t, err := m.Truthy(in)
			return !t, err
		}),
		"select/1": func(c *compiler, f *syntax.Func, s *scope) *node {
			n := selection(c.query(f.Args[0], s))
			n.wants = wanted(c, f.Args[0], s, true)
			return n
		},
		"first/1":   stops(func(c *compiler, f *syntax.Func, s *scope) *node { return first(c.query(f.Args[0], s)) }),
		"last/1":    func(c *compiler, f *syntax.Func, s *scope) *node { return last(c.query(f.Args[0], s)) },
		"isempty/1": stops(func(c *compiler, f *syntax.Func, s *scope) *node { return isEmpty(c.query(f.Args[0], s)) }),
		"limit/2":   stops(limit),
		"skip/2":    skip,
		"any/0":     stops(someOf(true)), "any/1": stops(someOf(true)), "any/2": stops(someOf(true)),
		"all/0": stops(someOf(false)), "all/1": stops(someOf(false)), "all/2": stops(someOf(false)),
		"values/0": kinds(func(m *machine, v any) (bool, error) {
			v, err := m.Force(v)
			return v != nil, err
		}),
		"scalars/0": kinds(func(m *machine, v any) (bool, error) {
			t, err := m.TypeOf(v)
			return t != "array" && t != "object", err
		}),
		"iterables/0": kinds(func(m *machine, v any) (bool, error) {
			t, err := m.TypeOf(v)
			return t == "array" || t == "object", err
		}),
	}
	for name, kind := range map[string]string{"nulls/0": "null", "booleans/0": "boolean", "numbers/0": "number", "strings/0": "string",
		"arrays/0": "array", "objects/0": "object"} {
		table[name] = kinds(func(m *machine, v any) (bool, error) {
			t, err := m.TypeOf(v)
			return t == kind, err
		})
	}
	return table
}

// selection implements select. It yields its input once for every result of the condition
// that is true.
func selection(cond *node) *node {
	if cond.one != nil {
		return gen(func(m *machine, e *env, in values.Located, y values.Yield) error {
			v, err := cond.one(m, e, values.Plain(in))
			if err != nil {
				return err
			}
			if t, err := m.Truthy(v.V); err != nil || !t {
				return err
			}
			return y(in)
		})
	}
	return gen(func(m *machine, e *env, in values.Located, y values.Yield) error {
		return cond.gen(m, e, values.Plain(in), func(v values.Located) error {
			if t, err := m.Truthy(v.V); err != nil || !t {
				return err
			}
			return y(in)
		})
	})
}

// kinds returns a builtin, such as strings, that yields its input only if the function
// holds returns true for it.
func kinds(holds func(m *machine, v any) (bool, error)) maker {
	return func(c *compiler, f *syntax.Func, _ *scope) *node {
		at := c.mark(f.Span)
		return gen(func(m *machine, _ *env, in values.Located, y values.Yield) error {
			ok, err := holds(m, in.V)
			if err != nil || !ok {
				return at.of(err)
			}
			return y(in)
		})
	}
}

// stops marks a builtin that may stop a generator early.
func stops(make maker) maker {
	return func(c *compiler, f *syntax.Func, s *scope) *node {
		c.stops = true
		return make(c, f, s)
	}
}

// first yields the first result of a generator. It stops the generator before it passes
// the result on.
func first(g *node) *node {
	if g.one != nil {
		return g
	}
	return gen(func(m *machine, e *env, in values.Located, y values.Yield) error {
		var v ahead.Held
		found := false
		err := g.gen(m, e, in, func(w values.Located) error {
			v, found = m.Hold(w), true
			return values.ErrStop
		})
		if found {
			return m.Release(v, y)
		}
		return err
	})
}

func last(g *node) *node {
	if g.one != nil {
		return g
	}
	return gen(func(m *machine, e *env, in values.Located, y values.Yield) error {
		var v ahead.Held
		found := false
		err := g.gen(m, e, in, func(w values.Located) error {
			v, found = m.Hold(w), true
			return nil
		})
		if err != nil || !found {
			return err
		}
		return m.Release(v, y)
	})
}

func isEmpty(g *node) *node {
	return one(func(m *machine, e *env, in values.Located) (values.Located, error) {
		found := false
		err := g.run(m, e, values.Plain(in), func(values.Located) error {
			found = true
			return values.ErrStop
		})
		if found {
			err = nil
		}
		return in.Made(!found), err
	})
}

// someOf returns the builtin any (if want is true) or all (if want is false). The builtin
// stops at the first result that decides. Without a generator argument it tests the
// elements of the input. Without a condition it tests the elements themselves.
func someOf(want bool) maker {
	return func(c *compiler, f *syntax.Func, s *scope) *node {
		st := []stage{c.iterStage(f.Span, false)}
		if len(f.Args) == 2 {
			st = c.stages(f.Args[0], s, nil)
		}
		decides := &node{gen: truths(identity, want)}
		if n := len(f.Args); n > 0 {
			decides = &node{gen: truths(c.query(f.Args[n-1], s), want), wants: wanted(c, f.Args[n-1], s, want)}
		}
		test := c.seq(append(st, stage{n: decides}))
		return one(func(m *machine, e *env, in values.Located) (values.Located, error) {
			found := false
			err := test.run(m, e, values.Plain(in), func(values.Located) error {
				found = true
				return values.ErrStop
			})
			if found {
				return in.Made(want), nil
			}
			return in.Made(!want), err
		})
	}
}

// truths yields the results of a condition that are true (as jq defines it). If want is
// false, it yields those that are false or null.
func truths(cond *node, want bool) func(*machine, *env, values.Located, values.Yield) error {
	return func(m *machine, e *env, in values.Located, y values.Yield) error {
		return cond.run(m, e, in, func(v values.Located) error {
			t, err := m.Truthy(v.V)
			if err != nil || t != want {
				return err
			}
			return y(v)
		})
	}
}

// limit yields the first results of a generator. It stops the generator before it passes
// on the last of these.
func limit(c *compiler, f *syntax.Func, s *scope) *node {
	n, g, at := c.query(f.Args[0], s), c.query(f.Args[1], s), c.mark(f.Span)
	return gen(func(m *machine, e *env, in values.Located, y values.Yield) error {
		return n.run(m, e, values.Plain(in), func(k values.Located) error {
			left, countable, err := builtin.Count(&m.Task, "limit", k.V)
			if _, negative := err.(*values.ValueError); negative || values.IsUncatchable(err) {
				return at.of(err)
			}
			if countable && left == 0 {
				return nil
			}
			var end ahead.Held
			done := false
			bad := err
			err = g.run(m, e, in, func(v values.Located) error {
				if !countable {
					return at.of(bad)
				}
				if left--; left > 0 {
					return y(v)
				}
				end, done = m.Hold(v), true
				return values.ErrStop
			})
			if done {
				return m.Release(end, y)
			}
			return err
		})
	})
}

// skip yields the results of a generator except the first ones.
func skip(c *compiler, f *syntax.Func, s *scope) *node {
	n, g, at := c.query(f.Args[0], s), c.query(f.Args[1], s), c.mark(f.Span)
	return gen(func(m *machine, e *env, in values.Located, y values.Yield) error {
		return n.run(m, e, values.Plain(in), func(k values.Located) error {
			left, countable, err := builtin.Count(&m.Task, "skip", k.V)
			if _, negative := err.(*values.ValueError); negative || values.IsUncatchable(err) {
				return at.of(err)
			}
			bad := err
			return g.run(m, e, in, func(v values.Located) error {
				if !countable {
					return at.of(bad)
				}
				if left == 0 {
					return y(v)
				}
				left = max(left-1, 0)
				return nil
			})
		})
	})
}
