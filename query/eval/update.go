package eval

import (
	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// updating are the operators behind +=, -= and so on.
var updating = map[syntax.Operator]func(m *mach, a, b any) (any, error){
	syntax.OpUpdateAdd: binary(syntax.OpAdd),
	syntax.OpUpdateSub: binary(syntax.OpSub),
	syntax.OpUpdateMul: binary(syntax.OpMul),
	syntax.OpUpdateDiv: binary(syntax.OpDiv),
	syntax.OpUpdateMod: binary(syntax.OpMod),
	syntax.OpUpdateAlt: func(m *mach, a, b any) (any, error) {
		t, err := m.truthy(a)
		if t {
			return a, err
		}
		return b, err
	},
}

// modify is l |= r.
func modify(l, r *node, at *place) *node {
	return one(func(m *mach, e *env, in pv) (pv, error) {
		v, err := m.modify(e, in.v, l, func(m *mach, old any, y yield) error { return r.run(m, e, pv{old, nil}, y) })
		if err != nil {
			return in, at.of(err)
		}
		return in.val(v), nil
	})
}

// assign is l = r, for each result of r.
func (c *compiler) assign(q *syntax.Query, s *scope) *node {
	at, r := c.mark(q.OpSpan), c.query(q.Right, s)
	if ks, ok := constantPath(q.Left, nil); ok {
		return assignWith(r, func(m *mach, _ *env, in pv, v any) (pv, error) {
			w, err := m.setpath(in.v, ks, v)
			if err != nil {
				return in, about(at.of(err), in.v)
			}
			return in.val(w), nil
		})
	}
	l := c.query(q.Left, s)
	return assignWith(r, func(m *mach, e *env, in pv, v any) (pv, error) {
		st := in.v
		err := m.paths(e, in.v, l, func(ks []any, _ any) (err error) {
			st, err = m.setpath(st, ks, v)
			return err
		})
		if err != nil {
			return in, about(at.of(err), in.v)
		}
		return in.val(st), nil
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

func assignWith(r *node, set func(m *mach, e *env, in pv, v any) (pv, error)) *node {
	if r.one != nil {
		return one(func(m *mach, e *env, in pv) (pv, error) {
			v, err := r.one(m, e, plain(in))
			if err != nil {
				return v, err
			}
			return set(m, e, in, v.v)
		})
	}
	return gen(func(m *mach, e *env, in pv, y yield) error {
		return r.gen(m, e, plain(in), func(v pv) error {
			w, err := set(m, e, in, v.v)
			if err != nil {
				return err
			}
			return y(w)
		})
	})
}

// updateBy is l op= r, for each result of r.
func updateBy(l, r *node, op func(m *mach, a, b any) (any, error), at *place) *node {
	return gen(func(m *mach, e *env, in pv, y yield) error {
		return r.run(m, e, plain(in), func(b pv) error {
			v, err := m.modify(e, in.v, l, func(m *mach, old any, y yield) error {
				w, err := op(m, old, b.v)
				if err != nil {
					return at.of(err)
				}
				return y(pv{w, nil})
			})
			if err != nil {
				return at.of(err)
			}
			return y(in.val(v))
		})
	})
}

// modify replaces the value at every path of l by the first that f gives for
// it; where f gives none the path is deleted, at the end. A path whose
// proxy is dropped by a fault stays as it was.
func (m *mach) modify(e *env, v any, l *node, f func(m *mach, old any, y yield) error) (any, error) {
	st := v
	var gone []any
	look := func(m *mach, w pv) error { return f(m, w.v, func(pv) error { return errStop }) }
	err := m.scouted(e, pv{v, rootPath}, l, look, func(p pv) error {
		if err := m.checkPath(p, taken); err != nil {
			return err
		}
		ks := p.p.keys()
		old, err := m.getpath(st, ks)
		if err != nil {
			return err
		}
		var w any
		given := false
		err = f(m, old, func(x pv) error {
			w, given = x.v, true
			return errStop
		})
		switch {
		case given:
			st, err = m.setpath(st, ks, w)
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
	return m.delpaths(st, gone)
}
