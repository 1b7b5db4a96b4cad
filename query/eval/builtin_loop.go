package eval

import (
	"math"
	"slices"

	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/syntax/native"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// loopBuiltins do something again and again.
func loopBuiltins() map[string]builtin {
	return map[string]builtin{
		"recurse/0": func(*compiler, *syntax.Func, *scope) *node { return gen(descend) },
		"recurse/1": func(c *compiler, f *syntax.Func, s *scope) *node {
			step := c.cycle(f.Args[0], s)
			return step.node(func(_ *mach, _ *env, in pv, y yield) (bool, error) { return true, y(in) })
		},
		"while/2": func(c *compiler, f *syntax.Func, s *scope) *node {
			return c.conditional(f, s, func(t bool, in pv, y yield) (bool, error) {
				if !t {
					return false, nil
				}
				return true, y(in)
			})
		},
		"until/2": func(c *compiler, f *syntax.Func, s *scope) *node {
			return c.conditional(f, s, func(t bool, in pv, y yield) (bool, error) {
				if !t {
					return true, nil
				}
				return false, y(in)
			})
		},
		"repeat/1": func(c *compiler, f *syntax.Func, s *scope) *node { return repeat(c.query(f.Args[0], s)) },
		"range/1":  ranged,
		"range/2":  ranged,
		"range/3":  ranged,
		"walk/1":   walk,
	}
}

// descend gives the input and everything inside it, the input first. What
// can't be looked into has nothing inside.
func descend(m *mach, e *env, in pv, y yield) error {
	was, err := m.enter(callWeight)
	if err != nil {
		return err
	}
	defer m.leave(was)
	if err := y(in); err != nil {
		return err
	}
	v, err := m.iterable(in)
	if err != nil {
		if fatal(err) {
			return err
		}
		return nil
	}
	return m.ahead(e, pv{v, in.p}, descend, y)
}

// ahead evaluates f on each member of a container; of an array ahead, where
// elements are still to be loaded. (The members of an object are the sections of
// one proxy: they are asked for one after the other.)
func (m *mach) ahead(e *env, in pv, f func(*mach, *env, pv, yield) error, y yield) error {
	if !hasLazy(in.v) {
		return m.each(in, func(w pv) error { return f(m, e, w, y) })
	}
	members := func(m *mach, _ *env, in pv, y yield) error { return m.each(in, y) }
	return m.pipe(e, in, &node{multi: true, gen: members}, gen(f), y)
}

// hasLazy tells whether v is an array with a lazy element.
func hasLazy(v any) bool {
	x, _ := v.([]any)
	return slices.ContainsFunc(x, func(w any) bool {
		_, ok := w.(mesh.Lazy)
		return ok
	})
}

// cycle is something done to its own results, over and over.
type cycle struct {
	next   *node
	weight int // of one turn inside another
}

func (c *compiler) cycle(q *syntax.Query, s *scope) *cycle {
	before := c.nodes
	next := c.query(q, s)
	return &cycle{next: next, weight: callWeight + c.nodes - before}
}

// exactTurns is how many turns may lie in one another before a turn waits for
// the one after it: the last of several then needs no stack. Until there,
// nothing is evaluated before it is needed.
const exactTurns = 256

// turn does something with a value; more tells whether to go on from it.
type turn func(m *mach, e *env, in pv, y yield) (more bool, err error)

func (l *cycle) node(each turn) *node {
	return gen(func(m *mach, e *env, in pv, y yield) error { return l.run(m, e, in, each, y, 0) })
}

func (l *cycle) run(m *mach, e *env, in pv, each turn, y yield, depth int) error {
	for {
		if err := m.tick(); err != nil {
			return err
		}
		more, err := each(m, e, in, y)
		if err != nil || !more {
			return err
		}
		if l.next.one != nil {
			if in, err = l.next.one(m, e, in); err != nil {
				return err
			}
			continue
		}
		inner := func(v pv) error { return l.deeper(m, e, v, each, y, depth+1) }
		if depth < exactTurns {
			return l.next.gen(m, e, in, inner)
		}
		last, ok, err := m.lastly(l.next, e, in, inner)
		if err != nil || !ok {
			return err
		}
		if last.fr != m.frame {
			return m.release(last, inner)
		}
		in = last.v
	}
}

func (l *cycle) deeper(m *mach, e *env, in pv, each turn, y yield, depth int) error {
	was, err := m.enter(l.weight)
	if err != nil {
		return err
	}
	defer m.leave(was)
	return l.run(m, e, in, each, y, depth)
}

// lastly calls use with the results of n, each when the next one is there, and
// gives the last one back. After an error it is used too.
func (m *mach) lastly(n *node, e *env, in pv, use yield) (last held, ok bool, err error) {
	stopped := false
	err = n.run(m, e, in, func(v pv) error {
		if ok {
			if err := m.release(last, use); err != nil {
				stopped = true
				return err
			}
		}
		last, ok = m.hold(v), true
		return nil
	})
	if err != nil && ok && !stopped {
		if below := m.release(last, use); below != nil {
			return last, false, below
		}
	}
	return last, ok, err
}

// conditional makes while and until: decide is called for every result of the
// condition.
func (c *compiler) conditional(f *syntax.Func, s *scope, decide func(t bool, in pv, y yield) (bool, error)) *node {
	before := c.nodes
	cond := c.query(f.Args[0], s)
	l := c.cycle(f.Args[1], s)
	l.weight += c.nodes - before
	if cond.one != nil {
		return l.node(func(m *mach, e *env, in pv, y yield) (bool, error) {
			v, err := cond.one(m, e, plain(in))
			if err != nil {
				return false, err
			}
			t, err := m.truthy(v.v)
			if err != nil {
				return false, err
			}
			return decide(t, in, y)
		})
	}
	var again func(m *mach, e *env, in pv, y yield) error
	again = func(m *mach, e *env, in pv, y yield) error {
		was, err := m.enter(l.weight)
		if err != nil {
			return err
		}
		defer m.leave(was)
		return cond.gen(m, e, plain(in), func(v pv) error {
			t, err := m.truthy(v.v)
			if err != nil {
				return err
			}
			more, err := decide(t, in, y)
			if err != nil || !more {
				return err
			}
			return l.next.run(m, e, in, func(w pv) error { return again(m, e, w, y) })
		})
	}
	return gen(again)
}

// repeat gives the results of f on the input, for ever.
func repeat(f *node) *node {
	return gen(func(m *mach, e *env, in pv, y yield) error {
		for {
			if err := m.tick(); err != nil {
				return err
			}
			if err := f.run(m, e, in, y); err != nil {
				return err
			}
		}
	})
}

func ranged(c *compiler, f *syntax.Func, s *scope) *node {
	args, at := c.args(f, s), c.mark(f.Span)
	stepped := len(args) == 3
	switch len(args) {
	case 1:
		args = []*node{constant(0), args[0], constant(1)}
	case 2:
		args = append(args, constant(1))
	}
	return gen(func(m *mach, e *env, in pv, y yield) error {
		p := plain(in)
		return args[0].run(m, e, p, func(from pv) error {
			return args[1].run(m, e, p, func(to pv) error {
				return args[2].run(m, e, p, func(by pv) error {
					i, ok1 := from.v.(int)
					n, ok2 := to.v.(int)
					d, ok3 := by.v.(int)
					if ok1 && ok2 && ok3 && d > 0 && n < math.MaxInt-d {
						return m.count(in, i, n, d, y)
					}
					bounds, err := m.bounds(!stepped, from.v, to.v, by.v)
					if err != nil {
						return at.of(err)
					}
					return m.countAny(in, bounds, y)
				})
			})
		})
	})
}

func (m *mach) count(in pv, i, n, d int, y yield) error {
	for ; i < n; i += d {
		if err := m.tick(); err != nil {
			return err
		}
		if err := y(in.val(i)); err != nil {
			return err
		}
	}
	return nil
}

// bounds returns the start, the end and the step of a range. As in jq, a range
// with a given step takes any values that can be compared and added.
func (m *mach) bounds(numeric bool, vs ...any) ([]any, error) {
	for i, v := range vs {
		v, err := m.force(v)
		if err != nil {
			return nil, err
		}
		if numeric && native.TypeOf(v) != "number" {
			return nil, plainError("Range bounds must be numeric")
		}
		vs[i] = v
	}
	return vs, nil
}

// countAny counts with numbers of any kind, up or down.
func (m *mach) countAny(in pv, b []any, y yield) error {
	v, to, by := b[0], b[1], b[2]
	for native.Compare(by, 0)*native.Compare(v, to) < 0 {
		if err := m.tick(); err != nil {
			return err
		}
		if err := y(in.val(v)); err != nil {
			return err
		}
		w, err := add(m, v, by)
		if err != nil {
			return err
		}
		v = w
	}
	return nil
}
