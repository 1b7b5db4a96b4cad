package eval

import (
	"encoding/json"

	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/syntax/native"
	"github.com/meshq/kubectl-meshq/query/values"
)

// termStages gives the steps of a term and its suffixes.
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

// optional is a term that ends with "?": of an index or an iteration it is
// only that step that is tried, not what stands before it.
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

// callStage notes what a pipeline wants to know of a call.
func (c *compiler) callStage(f *syntax.Func, s *scope, tail bool) stage {
	st := stage{n: c.callAt(f, s, tail)}
	st.length = c.isCall(f, "length/0", s)
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

// literal gives the value of a query that is just a number or a string.
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
