package eval

import (
	"cmp"
	"encoding/json"

	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/syntax/native"
	"github.com/meshq/kubectl-meshq/query/values"
)

// query compiles an expression that isn't in tail position.
func (c *compiler) query(q *syntax.Query, s *scope) *node { return c.queryAt(q, s, false) }

// queryAt compiles an expression. tail is set if the expression is the last step of a
// function, so that a call in it needs no additional stack.
func (c *compiler) queryAt(q *syntax.Query, s *scope, tail bool) *node {
	c.nodes++
	switch {
	case len(q.FuncDefs) > 0:
		return c.withDefs(q.FuncDefs, s, func(s *scope) *node {
			rest := *q
			rest.FuncDefs = nil
			return c.queryAt(&rest, s, tail)
		})
	case q.Term != nil, q.Op == syntax.OpPipe:
		return c.seq(c.stagesAt(q, s, nil, tail))
	case q.Op == 0:
		c.fail(q.Span, `missing query (try ".")`)
	}
	return c.operator(q, s, tail)
}

func (c *compiler) operator(q *syntax.Query, s *scope, tail bool) *node {
	switch q.Op {
	case syntax.OpComma:
		return comma(c.query(q.Left, s), c.queryAt(q.Right, s, tail))
	case syntax.OpAlt:
		return alternative(c.query(q.Left, s), c.queryAt(q.Right, s, tail))
	case syntax.OpOr:
		t, f := constant(true), constant(false)
		return ifNode(c.query(q.Left, s), t, ifNode(c.query(q.Right, s), t, f))
	case syntax.OpAnd:
		t, f := constant(true), constant(false)
		return ifNode(c.query(q.Left, s), ifNode(c.query(q.Right, s), t, f), f)
	case syntax.OpModify:
		return modify(c.query(q.Left, s), c.query(q.Right, s), c.mark(q.OpSpan))
	case syntax.OpAssign:
		return c.assign(q, s)
	}
	if op, ok := updating[q.Op]; ok {
		return updateBy(c.query(q.Left, s), c.query(q.Right, s), op, c.mark(q.OpSpan))
	}
	return map2(c.query(q.Left, s), c.query(q.Right, s), values.Operator(q.Op), c.mark(q.OpSpan))
}

func comma(l, r *node) *node {
	return &node{multi: l.multi || r.multi, gen: func(m *machine, e *env, in values.Located, y values.Yield) error {
		if err := l.run(m, e, in, y); err != nil {
			return err
		}
		return r.run(m, e, in, y)
	}}
}

// alternative compiles l // r. It yields the results of l that are neither null nor
// false. If there are none, it yields the results of r. An error in l ends only l.
func alternative(l, r *node) *node {
	return gen(func(m *machine, e *env, in values.Located, y values.Yield) error {
		found := false
		err := l.run(m, e, in, func(v values.Located) error {
			t, err := m.Truthy(v.V)
			if err != nil || !t {
				return err
			}
			found = true
			return y(v)
		})
		if err != nil || found {
			return err
		}
		return r.run(m, e, in, y)
	})
}

// map2 applies the operation f to every combination of the results of l and r. Those of r
// vary more slowly.
func map2(l, r *node, f values.Operation, at *place) *node {
	if single(l, r) {
		return one(func(m *machine, e *env, in values.Located) (values.Located, error) {
			b, err := r.one(m, e, values.Plain(in))
			if err != nil {
				return b, err
			}
			a, err := l.one(m, e, values.Plain(in))
			if err != nil {
				return a, err
			}
			v, err := f(&m.Task, a.V, b.V)
			if err != nil {
				return in, at.of(err)
			}
			return in.Made(v), nil
		})
	}
	return gen(func(m *machine, e *env, in values.Located, y values.Yield) error {
		return r.run(m, e, values.Plain(in), func(b values.Located) error {
			return l.run(m, e, values.Plain(in), func(a values.Located) error {
				v, err := f(&m.Task, a.V, b.V)
				if err != nil {
					return at.of(err)
				}
				return y(in.Made(v))
			})
		})
	})
}

// map1 applies the function f to each result of x.
func map1(x *node, f func(m *values.Task, v any) (any, error), at *place) *node {
	if x.one != nil {
		return one(func(m *machine, e *env, in values.Located) (values.Located, error) {
			a, err := x.one(m, e, values.Plain(in))
			if err != nil {
				return a, err
			}
			v, err := f(&m.Task, a.V)
			if err != nil {
				return in, at.of(err)
			}
			return in.Made(v), nil
		})
	}
	return gen(func(m *machine, e *env, in values.Located, y values.Yield) error {
		return x.gen(m, e, values.Plain(in), func(a values.Located) error {
			v, err := f(&m.Task, a.V)
			if err != nil {
				return at.of(err)
			}
			return y(in.Made(v))
		})
	})
}

// termStages returns the pipeline steps of a term and its suffixes, such as .a[].b.
func (c *compiler) termStages(t *syntax.Term, s *scope, tail bool) []stage {
	k := len(t.SuffixList)
	if k == 0 {
		return c.primary(t, s, tail)
	}
	head, last := withoutSuffixes(t, 1), t.SuffixList[k-1]
	switch {
	case last.Iter:
		return append(c.termStages(head, s, false), c.iterStage(last.Span, false))
	case last.Optional:
		return c.optional(t, s)
	case constantIndex(last.Index):
		return append(c.termStages(head, s, false), stage{n: c.index(last.Index, last.Span, identity, s)})
	}
	// the index is evaluated on the input of the whole term
	return []stage{{n: c.index(last.Index, last.Span, c.seq(c.termStages(head, s, false)), s)}}
}

func withoutSuffixes(t *syntax.Term, n int) *syntax.Term {
	head := *t
	head.SuffixList = t.SuffixList[:len(t.SuffixList)-n]
	if n := len(head.SuffixList); n > 0 {
		head.End = head.SuffixList[n-1].End
	}
	return &head
}

// optional compiles a term that ends with "?". If the last step before the "?" is an
// index or an iteration, only errors of that step are suppressed, not those of earlier
// steps.
func (c *compiler) optional(t *syntax.Term, s *scope) []stage {
	if k := len(t.SuffixList); k > 1 {
		prev := t.SuffixList[k-2]
		if prev.Iter {
			return append(c.termStages(withoutSuffixes(t, 2), s, false), c.iterStage(prev.Span, true))
		}
		if prev.Index != nil && constantIndex(prev.Index) {
			ix := c.index(prev.Index, prev.Span, identity, s)
			return append(c.termStages(withoutSuffixes(t, 2), s, false), stage{n: try(ix, nil)})
		}
	}
	return []stage{{n: try(c.seq(c.termStages(withoutSuffixes(t, 1), s, false)), nil)}}
}

func (c *compiler) primary(t *syntax.Term, s *scope, tail bool) []stage {
	switch t.Type {
	case syntax.TermIdentity:
		return nil
	case syntax.TermQuery:
		return c.stagesAt(t.Query, s, nil, tail)
	case syntax.TermFunc:
		return []stage{c.callStage(t.Func, s, tail)}
	case syntax.TermArray:
		if t.Array.Query != nil {
			q := c.query(t.Array.Query, s)
			return []stage{{n: collect(q), arr: q}}
		}
	}
	return []stage{{n: c.simple(t, s, tail)}}
}

// callStage compiles a call as a pipeline step. It marks a call of length, because [f] |
// length needs no array.
func (c *compiler) callStage(f *syntax.Func, s *scope, tail bool) stage {
	st := stage{n: c.callAt(f, s, tail)}
	st.length = isCallOf(c, f, "length/0", s)
	return st
}

func (c *compiler) simple(t *syntax.Term, s *scope, tail bool) *node {
	switch t.Type {
	case syntax.TermRecurse:
		return c.call(&syntax.Func{Span: t.Span, Name: "recurse"}, s)
	case syntax.TermNull:
		return constant(nil)
	case syntax.TermTrue:
		return constant(true)
	case syntax.TermFalse:
		return constant(false)
	case syntax.TermIndex:
		return c.index(t.Index, t.Span, identity, s)
	case syntax.TermObject:
		return c.object(t.Object, s)
	case syntax.TermArray:
		return constant([]any{})
	case syntax.TermNumber:
		return constant(native.Literal(t.Number))
	case syntax.TermUnary:
		return c.unary(t, s)
	case syntax.TermFormat:
		return c.format(t, s)
	case syntax.TermString:
		return c.str(t.Str, nil, s)
	}
	return c.control(t, s, tail)
}

func (c *compiler) unary(t *syntax.Term, s *scope) *node {
	if v, ok := literal(&syntax.Query{Term: t}); ok {
		return constant(v)
	}
	expr, says := "-$a", "cannot be negated"
	if t.Unary.Op == syntax.OpAdd {
		expr, says = "+$a", values.NumberRequired
	}
	return map1(c.seq(c.termStages(t.Unary.Term, s, false)), func(m *values.Task, v any) (any, error) {
		v, err := m.Force(v)
		if err != nil {
			return nil, err
		}
		if !values.IsScalar(v) {
			return nil, values.Cannot(v, says)
		}
		w, err := m.Gojq(expr, v)
		if values.IsGojqError(err) {
			err = values.Cannot(v, says)
		}
		return w, err
	}, c.mark(t.Span))
}

// literal returns the value of an expression that consists of just a number or a string.
func literal(q *syntax.Query) (any, bool) {
	if q == nil || q.Term == nil || len(q.Term.SuffixList) > 0 || len(q.FuncDefs) > 0 {
		return nil, false
	}
	switch t := q.Term; t.Type {
	case syntax.TermNumber:
		return native.Literal(t.Number), true
	case syntax.TermString:
		if t.Str.Queries == nil {
			return t.Str.Str, true
		}
	case syntax.TermUnary:
		v, ok := literal(&syntax.Query{Term: t.Unary.Term})
		if !ok || t.Unary.Op != syntax.OpSub {
			return nil, false
		}
		switch n := v.(type) {
		case int:
			return -n, true
		case float64:
			return -n, true
		case json.Number:
			return "-" + n, true
		}
	}
	return nil, false
}

// stage is one step of a pipeline. A pipeline is compiled as a list of stages, so that an
// iteration knows all steps after it. These steps can then be evaluated for several
// elements concurrently.
type stage struct {
	n      *node
	arr    *node // the expression inside the brackets, if this step constructs an array; nil otherwise
	length bool  // whether this step is a call of the builtin length
}

func iterStage(optional bool) stage { return stage{n: iterate(nil, optional)} }

func (c *compiler) iterStage(at syntax.Span, optional bool) stage {
	return stage{n: iterate(c.mark(at), optional)}
}

// stages appends the pipeline steps of a query to out.
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

// seq combines the steps of a pipeline into one node.
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

// count evaluates [f] | length. It doesn't build the array, which saves memory.
func count(f *node) *node {
	return one(func(m *machine, e *env, in values.Located) (values.Located, error) {
		k := 0
		err := f.run(m, e, values.Plain(in), func(values.Located) error { k++; return nil })
		return in.Made(k), err
	})
}

// pipe compiles a | b, which evaluates b for every result of a.
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
