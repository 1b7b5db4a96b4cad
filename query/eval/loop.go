package eval

import (
	"math"
	"slices"

	"github.com/meshq/kubectl-meshq/query/ahead"
	"github.com/meshq/kubectl-meshq/query/builtin"
	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/syntax/native"
	"github.com/meshq/kubectl-meshq/query/values"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// loopBuiltins returns the builtins that evaluate an argument repeatedly, such as recurse
// and range.
func loopBuiltins() map[string]maker {
	return map[string]maker{
		"recurse/0": func(*compiler, *syntax.Func, *scope) *node { return gen(descend) },
		"recurse/1": func(c *compiler, f *syntax.Func, s *scope) *node {
			step := newCycle(c, f.Args[0], s)
			return step.node(func(_ *machine, _ *env, in values.Located, y values.Yield) (bool, error) { return true, y(in) })
		},
		"while/2": func(c *compiler, f *syntax.Func, s *scope) *node {
			return looping(c, f, s, func(t bool, in values.Located, y values.Yield) (bool, error) {
				if !t {
					return false, nil
				}
				return true, y(in)
			})
		},
		"until/2": func(c *compiler, f *syntax.Func, s *scope) *node {
			return looping(c, f, s, func(t bool, in values.Located, y values.Yield) (bool, error) {
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

// descend yields the input, and then everything inside it, as .. does.
func descend(m *machine, e *env, in values.Located, y values.Yield) error {
	was, err := m.Enter(values.CallWeight)
	if err != nil {
		return err
	}
	defer m.Leave(was)
	if err := y(in); err != nil {
		return err
	}
	v, err := m.iterable(in)
	if err != nil {
		if values.IsUncatchable(err) {
			return err
		}
		return nil
	}
	return m.ahead(e, values.Located{V: v, P: in.P}, descend, y)
}

// ahead evaluates f for each element of an array, or for each member of an object. Array
// elements that still have to be loaded are evaluated concurrently. The members of an
// object are evaluated one after the other, because they are the sections of one proxy,
// which are requested sequentially.
func (m *machine) ahead(e *env, in values.Located, f func(*machine, *env, values.Located, values.Yield) error, y values.Yield) error {
	if !hasLazy(in.V) {
		return m.each(in, func(w values.Located) error { return f(m, e, w, y) })
	}
	members := func(m *machine, _ *env, in values.Located, y values.Yield) error { return m.each(in, y) }
	return m.pipe(e, in, &node{multi: true, gen: members}, gen(f), y)
}

// hasLazy reports whether v is an array with an element that may still have to be loaded.
func hasLazy(v any) bool {
	x, _ := v.([]any)
	return slices.ContainsFunc(x, func(w any) bool {
		_, ok := w.(mesh.Lazy)
		return ok
	})
}

// cycle is a query that is applied to its own results repeatedly, as in recurse(f).
type cycle struct {
	next   *node
	weight int // stack space of one level of recursion, as a number of compiled nodes
}

func newCycle(c *compiler, q *syntax.Query, s *scope) *cycle {
	before := c.nodes
	next := c.query(q, s)
	return &cycle{next: next, weight: values.CallWeight + c.nodes - before}
}

// exactTurns is the nesting depth up to which a cycle passes each result on at once, as
// jq does. At greater depths, each result is delayed until the next one is known. So the
// cycle recognizes the last of several results, which it can process in a loop, without
// using more stack.
const exactTurns = 256

// turn processes one value of a cycle. It returns more == true if the cycle continues
// with that value.
type turn func(m *machine, e *env, in values.Located, y values.Yield) (more bool, err error)

func (l *cycle) node(each turn) *node {
	return gen(func(m *machine, e *env, in values.Located, y values.Yield) error { return l.run(m, e, in, each, y, 0) })
}

func (l *cycle) run(m *machine, e *env, in values.Located, each turn, y values.Yield, depth int) error {
	for {
		if err := m.Tick(); err != nil {
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
		inner := func(v values.Located) error { return l.deeper(m, e, v, each, y, depth+1) }
		if depth < exactTurns {
			return l.next.gen(m, e, in, inner)
		}
		last, ok, err := m.lastly(l.next, e, in, inner)
		if err != nil || !ok {
			return err
		}
		if last.Frame != m.Frame {
			return m.Release(last, inner)
		}
		in = last.Result
	}
}

func (l *cycle) deeper(m *machine, e *env, in values.Located, each turn, y values.Yield, depth int) error {
	was, err := m.Enter(l.weight)
	if err != nil {
		return err
	}
	defer m.Leave(was)
	return l.run(m, e, in, each, y, depth)
}

// lastly calls the function use for each result of n except the last one, which it
// returns. To recognize the last one, it delays each result until the next one is known.
// If n ends with an error, lastly passes the last result to use too.
func (m *machine) lastly(n *node, e *env, in values.Located, use values.Yield) (last ahead.Held, ok bool, err error) {
	stopped := false
	err = n.run(m, e, in, func(v values.Located) error {
		if ok {
			if err := m.Release(last, use); err != nil {
				stopped = true
				return err
			}
		}
		last, ok = m.Hold(v), true
		return nil
	})
	if err != nil && ok && !stopped {
		if below := m.Release(last, use); below != nil {
			return last, false, below
		}
	}
	return last, ok, err
}

// looping compiles while and until. For every result of the condition, decide determines
// whether the input is a result and whether the loop continues.
func looping(c *compiler, f *syntax.Func, s *scope, decide func(t bool, in values.Located, y values.Yield) (bool, error)) *node {
	before := c.nodes
	cond := c.query(f.Args[0], s)
	l := newCycle(c, f.Args[1], s)
	l.weight += c.nodes - before
	if cond.one != nil {
		return l.node(func(m *machine, e *env, in values.Located, y values.Yield) (bool, error) {
			v, err := cond.one(m, e, values.Plain(in))
			if err != nil {
				return false, err
			}
			t, err := m.Truthy(v.V)
			if err != nil {
				return false, err
			}
			return decide(t, in, y)
		})
	}
	var again func(m *machine, e *env, in values.Located, y values.Yield) error
	again = func(m *machine, e *env, in values.Located, y values.Yield) error {
		was, err := m.Enter(l.weight)
		if err != nil {
			return err
		}
		defer m.Leave(was)
		return cond.gen(m, e, values.Plain(in), func(v values.Located) error {
			t, err := m.Truthy(v.V)
			if err != nil {
				return err
			}
			more, err := decide(t, in, y)
			if err != nil || !more {
				return err
			}
			return l.next.run(m, e, in, func(w values.Located) error { return again(m, e, w, y) })
		})
	}
	return gen(again)
}

// repeat yields the results of f, and then evaluates f again on the same input, forever.
func repeat(f *node) *node {
	return gen(func(m *machine, e *env, in values.Located, y values.Yield) error {
		for {
			if err := m.Tick(); err != nil {
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
	return gen(func(m *machine, e *env, in values.Located, y values.Yield) error {
		p := values.Plain(in)
		return args[0].run(m, e, p, func(from values.Located) error {
			return args[1].run(m, e, p, func(to values.Located) error {
				return args[2].run(m, e, p, func(by values.Located) error {
					i, ok1 := from.V.(int)
					n, ok2 := to.V.(int)
					d, ok3 := by.V.(int)
					if ok1 && ok2 && ok3 && d > 0 && n < math.MaxInt-d {
						return m.count(in, i, n, d, y)
					}
					bounds, err := builtin.RangeBounds(&m.Task, !stepped, from.V, to.V, by.V)
					if err != nil {
						return at.of(err)
					}
					return m.countAny(in, bounds, y)
				})
			})
		})
	})
}

func (m *machine) count(in values.Located, i, n, d int, y values.Yield) error {
	for ; i < n; i += d {
		if err := m.Tick(); err != nil {
			return err
		}
		if err := y(in.Made(i)); err != nil {
			return err
		}
	}
	return nil
}

// countAny implements range for numbers that aren't all integers. It counts up or down.
func (m *machine) countAny(in values.Located, b []any, y values.Yield) error {
	v, to, by := b[0], b[1], b[2]
	for native.Compare(by, 0)*native.Compare(v, to) < 0 {
		if err := m.Tick(); err != nil {
			return err
		}
		if err := y(in.Made(v)); err != nil {
			return err
		}
		w, err := values.Add(&m.Task, v, by)
		if err != nil {
			return err
		}
		v = w
	}
	return nil
}

// walker implements walk(f). It applies f to the parts of a value before it applies f to
// the value itself.
type walker struct{ *cycle }

func walk(c *compiler, f *syntax.Func, s *scope) *node {
	w := &walker{newCycle(c, f.Args[0], s)}
	return gen(func(m *machine, e *env, in values.Located, y values.Yield) error {
		return w.run(m, e, values.Plain(in), func(v values.Located) error { return y(in.Made(v.V)) })
	})
}

// run yields the results of walk(f) for one value.
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

// array returns an array with all results of walk(f) for each element.
func (w *walker) array(m *machine, e *env, x []any) (any, error) {
	out := make([]any, 0, len(x))
	err := m.ahead(e, values.Located{V: x}, w.run, func(v values.Located) (err error) {
		out, err = m.Push(out, v.V)
		return err
	})
	return out, err
}

// object returns an object with the first result of walk(f) for each member. It omits
// members without a result.
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
