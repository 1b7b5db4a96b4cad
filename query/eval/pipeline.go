package eval

import (
	"cmp"

	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/values"
)

// stage is one step of a pipeline. A pipeline is compiled as a list, so that
// an iteration knows all that follows it, up to the end of the expression
// around it, and can have that run ahead.
type stage struct {
	n      *node
	arr    *node // it collects the results of this
	length bool  // it is length/0
}

func iterStage(optional bool) stage { return stage{n: iterate(nil, optional)} }

func (c *compiler) iterStage(at syntax.Span, optional bool) stage {
	return stage{n: iterate(c.mark(at), optional)}
}

// stages appends the steps of a query. The last one is in tail position when
// tail is set and all before it give one result.
func (c *compiler) stages(q *syntax.Query, s *scope, out []stage) []stage {
	return c.stagesAt(q, s, out, false)
}

func (c *compiler) stagesAt(q *syntax.Query, s *scope, out []stage, tail bool) []stage {
	tail = tail && singleStages(out)
	switch {
	case len(q.FuncDefs) > 0, q.Term == nil && q.Op != syntax.OpPipe:
		return append(out, stage{n: c.queryAt(q, s, tail)})
	case q.Term != nil:
		return append(out, c.termStages(q.Term, s, tail)...)
	case len(q.Patterns) > 0:
		return append(out, stage{n: c.bind(q, s, tail)})
	}
	return c.stagesAt(q.Right, s, c.stagesAt(q.Left, s, out, false), tail)
}

func singleStages(st []stage) bool {
	for _, x := range st {
		if x.n.one == nil {
			return false
		}
	}
	return true
}

// seq makes one node of a pipeline.
func (c *compiler) seq(st []stage) *node {
	n := identity
	for i := len(st) - 1; i >= 0; i-- {
		switch {
		case i > 0 && st[i].length && st[i-1].arr != nil:
			n = pipe(count(st[i-1].arr), n)
			i--
		default:
			n = pipe(st[i].n, n)
		}
	}
	return n
}

// count is [f] | length without the array.
func count(f *node) *node {
	return one(func(m *machine, e *env, in values.Located) (values.Located, error) {
		k := 0
		err := f.run(m, e, values.Plain(in), func(values.Located) error { k++; return nil })
		return in.Made(k), err
	})
}

// pipe runs b on every result of a.
func pipe(a, b *node) *node {
	switch {
	case a == identity:
		return b
	case b == identity:
		return a
	case a.iter && b.wants != nil && b.wants.by != "":
		a = narrowed(a, b.wants)
	}
	n := joined(a, b)
	switch {
	case a.wants != nil:
		n.wants = a.wants
	case a.field != "" && b.wants != nil && b.wants.by == "":
		n.wants = &predicate{a.field, b.wants.of}
	}
	return n
}

func joined(a, b *node) *node {
	switch {
	case a.one != nil && b.one != nil:
		f, g := a.one, b.one
		return one(func(m *machine, e *env, in values.Located) (values.Located, error) {
			v, err := f(m, e, in)
			if err != nil {
				return v, err
			}
			return g(m, e, v)
		})
	case a.one != nil:
		f, g := a.one, b.gen
		return &node{multi: b.multi, ends: b.ends, gen: func(m *machine, e *env, in values.Located, y values.Yield) error {
			v, err := f(m, e, in)
			if err != nil {
				return err
			}
			return g(m, e, v, y)
		}}
	case !a.multi:
		return &node{multi: b.multi, ends: cmp.Or(b.ends, a.ends), gen: func(m *machine, e *env, in values.Located, y values.Yield) error {
			if a.ahead(e) {
				return m.pipe(e, in, a, b, y)
			}
			return a.gen(m, e, in, func(v values.Located) error { return b.run(m, e, v, y) })
		}}
	}
	return &node{multi: true, gen: func(m *machine, e *env, in values.Located, y values.Yield) error { return m.pipe(e, in, a, b, y) }}
}
