package eval

import (
	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/values"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// updating are the operators behind +=, -= and so on.
var updating = map[syntax.Operator]values.Operation{
	syntax.OpUpdateAdd: values.Operator(syntax.OpAdd),
	syntax.OpUpdateSub: values.Operator(syntax.OpSub),
	syntax.OpUpdateMul: values.Operator(syntax.OpMul),
	syntax.OpUpdateDiv: values.Operator(syntax.OpDiv),
	syntax.OpUpdateMod: values.Operator(syntax.OpMod),
	syntax.OpUpdateAlt: func(m *values.Task, a, b any) (any, error) {
		t, err := m.Truthy(a)
		if t {
			return a, err
		}
		return b, err
	},
}

// modify is l |= r.
func modify(l, r *node, at *place) *node {
	return one(func(m *machine, e *env, in values.Located) (values.Located, error) {
		v, err := m.modify(e, in.V, l, func(m *machine, old any, y values.Yield) error { return r.run(m, e, values.Located{V: old}, y) })
		if err != nil {
			return in, at.of(err)
		}
		return in.Made(v), nil
	})
}

// assign is l = r, for each result of r.
func (c *compiler) assign(q *syntax.Query, s *scope) *node {
	at, r := c.mark(q.OpSpan), c.query(q.Right, s)
	if ks, ok := constantPath(q.Left, nil); ok {
		return assignWith(r, func(m *machine, _ *env, in values.Located, v any) (values.Located, error) {
			w, err := values.SetPath(&m.Task, in.V, ks, v)
			if err != nil {
				return in, values.NameProxy(at.of(err), in.V)
			}
			return in.Made(w), nil
		})
	}
	l := c.query(q.Left, s)
	return assignWith(r, func(m *machine, e *env, in values.Located, v any) (values.Located, error) {
		st := in.V
		err := m.paths(e, in.V, l, func(ks []any, _ any) (err error) {
			st, err = values.SetPath(&m.Task, st, ks, v)
			return err
		})
		if err != nil {
			return in, values.NameProxy(at.of(err), in.V)
		}
		return in.Made(st), nil
	})
}

// constantPath gives the path that a query is when it is nothing but names and
// constant indexes. It needs no evaluation.
func constantPath(q *syntax.Query, ks []any) ([]any, bool) {
	t := q.Term
	if t == nil || len(q.FuncDefs) > 0 {
		return nil, false
	}
	ok := true
	switch t.Type {
	case syntax.TermIndex:
		ks, ok = constantStep(t.Index, ks)
	case syntax.TermQuery:
		ks, ok = constantPath(t.Query, ks)
	default:
		return nil, false
	}
	for _, x := range t.SuffixList {
		if !ok || x.Index == nil {
			return nil, false
		}
		ks, ok = constantStep(x.Index, ks)
	}
	return ks, ok
}

func constantStep(x *syntax.Index, ks []any) ([]any, bool) {
	if k, ok := indexKey(x); ok {
		return append(ks, k), true
	}
	if !x.IsSlice {
		return nil, false
	}
	start, ok1 := constantBound(x.Start)
	end, ok2 := constantBound(x.End)
	return append(ks, object.Of("start", start, "end", end)), ok1 && ok2
}

func constantBound(q *syntax.Query) (any, bool) {
	if q == nil {
		return nil, true
	}
	return literal(q)
}

func assignWith(r *node, set func(m *machine, e *env, in values.Located, v any) (values.Located, error)) *node {
	if r.one != nil {
		return one(func(m *machine, e *env, in values.Located) (values.Located, error) {
			v, err := r.one(m, e, values.Plain(in))
			if err != nil {
				return v, err
			}
			return set(m, e, in, v.V)
		})
	}
	return gen(func(m *machine, e *env, in values.Located, y values.Yield) error {
		return r.gen(m, e, values.Plain(in), func(v values.Located) error {
			w, err := set(m, e, in, v.V)
			if err != nil {
				return err
			}
			return y(w)
		})
	})
}

// updateBy is l op= r, for each result of r.
func updateBy(l, r *node, op values.Operation, at *place) *node {
	return gen(func(m *machine, e *env, in values.Located, y values.Yield) error {
		return r.run(m, e, values.Plain(in), func(b values.Located) error {
			v, err := m.modify(e, in.V, l, func(m *machine, old any, y values.Yield) error {
				w, err := op(&m.Task, old, b.V)
				if err != nil {
					return at.of(err)
				}
				return y(values.Located{V: w})
			})
			if err != nil {
				return at.of(err)
			}
			return y(in.Made(v))
		})
	})
}

// modify replaces the value at every path of l by the first that f gives for
// it; where f gives none the path is deleted, at the end. A path whose
// proxy is dropped by a fault stays as it was.
func (m *machine) modify(e *env, v any, l *node, f func(m *machine, old any, y values.Yield) error) (any, error) {
	st := v
	var gone []any
	look := func(m *machine, w values.Located) error {
		return f(m, w.V, func(values.Located) error { return values.ErrStop })
	}
	err := m.scouted(e, values.Located{V: v, P: values.RootPath}, l, look, func(p values.Located) error {
		if err := values.CheckPath(&m.Task, p, values.InvalidResult); err != nil {
			return err
		}
		ks := p.P.Keys()
		old, err := values.GetPath(&m.Task, st, ks)
		if err != nil {
			return err
		}
		var w any
		given := false
		err = f(m, old, func(x values.Located) error {
			w, given = x.V, true
			return values.ErrStop
		})
		switch {
		case given:
			st, err = values.SetPath(&m.Task, st, ks, w)
			return err
		case err != nil:
			return err
		}
		gone = append(gone, any(ks))
		return nil
	})
	if err != nil || len(gone) == 0 {
		return st, err
	}
	return values.DeletePaths(&m.Task, st, gone)
}
