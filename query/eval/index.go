package eval

import (
	"github.com/meshq/kubectl-meshq/query/ahead"
	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/values"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// constantIndex reports whether the index in brackets is a literal, so that it is the
// same for every input.
func constantIndex(x *syntax.Index) bool {
	_, ok := indexKey(x)
	return ok
}

func indexKey(x *syntax.Index) (any, bool) {
	switch {
	case x.Name != "":
		return x.Name, true
	case x.Str != nil:
		return x.Str.Str, x.Str.Queries == nil
	case x.IsSlice:
		return nil, false
	}
	return literal(x.Start)
}

// index compiles head[x]. The expression x is evaluated on the input of the whole term,
// not on the results of head. The results of x vary more slowly than those of head.
func (c *compiler) index(x *syntax.Index, span syntax.Span, head *node, s *scope) *node {
	at := c.mark(span)
	if k, ok := indexKey(x); ok {
		return pipe(head, c.constantKey(k, at))
	}
	if x.IsSlice {
		return c.slice(x, at, head, s)
	}
	var k *node
	if x.Str != nil {
		k = c.str(x.Str, nil, s)
	} else {
		k = c.query(x.Start, s)
	}
	return indexBy(head, k, at)
}

func (c *compiler) constantKey(k any, at *place) *node {
	name, isName := k.(string)
	hinted := isName && at != nil && c.opts.FieldHint != nil
	n := one(func(m *machine, e *env, in values.Located) (values.Located, error) {
		v, err := values.Index(&m.Task, in, k)
		if err != nil {
			return v, values.NameProxy(at.of(err), in.V)
		}
		if hinted && v.V == nil {
			m.missing(in.V, name)
		}
		return v, nil
	})
	n.field = name
	return n
}

func indexBy(head, k *node, at *place) *node {
	if single(head, k) {
		return one(func(m *machine, e *env, in values.Located) (values.Located, error) {
			kv, err := k.one(m, e, values.Plain(in))
			if err != nil {
				return kv, err
			}
			h, err := head.one(m, e, in)
			if err != nil {
				return h, err
			}
			v, err := values.IndexForced(&m.Task, h, kv.V)
			return v, values.NameProxy(at.of(err), h.V)
		})
	}
	return gen(func(m *machine, e *env, in values.Located, y values.Yield) error {
		return k.run(m, e, values.Plain(in), func(kv values.Located) error {
			return head.run(m, e, in, func(h values.Located) error {
				v, err := values.IndexForced(&m.Task, h, kv.V)
				if err != nil {
					return values.NameProxy(at.of(err), h.V)
				}
				return y(v)
			})
		})
	})
}

// missing must be called if a field lookup returned null. It reports to the user a field
// that the object's kind doesn't have, for example a misspelled one.
func (m *machine) missing(v any, name string) {
	fields, _ := values.Peek(v).(*object.Object)
	if _, ok := fields.Lookup(name); ok {
		return
	}
	kind, ok := fields.Get("kind").(string)
	// works for an unloaded object too: a field that its kind lacks is known without
	// loading
	if o, isObject := v.(*mesh.Object); isObject {
		kind, ok = o.Kind, true
	}
	if ok && m.run.hints.isNew(kind, name) {
		m.Report(ahead.Event{Kind: kind, Field: name})
	}
}

// slice compiles head[start:end]. If the parts have several results, those of start vary
// most slowly and those of head fastest.
func (c *compiler) slice(x *syntax.Index, at *place, head *node, s *scope) *node {
	start, end := sliceBound(c, x.Start, s), sliceBound(c, x.End, s)
	if single(start, end, head) {
		return one(func(m *machine, e *env, in values.Located) (values.Located, error) {
			a, err := start.one(m, e, values.Plain(in))
			if err != nil {
				return a, err
			}
			b, err := end.one(m, e, values.Plain(in))
			if err != nil {
				return b, err
			}
			h, err := head.one(m, e, in)
			if err != nil {
				return h, err
			}
			v, err := values.Slice(&m.Task, h, a.V, b.V)
			return v, values.NameProxy(at.of(err), h.V)
		})
	}
	return gen(func(m *machine, e *env, in values.Located, y values.Yield) error {
		return start.run(m, e, values.Plain(in), func(a values.Located) error {
			return end.run(m, e, values.Plain(in), func(b values.Located) error {
				return head.run(m, e, in, func(h values.Located) error {
					v, err := values.Slice(&m.Task, h, a.V, b.V)
					if err != nil {
						return values.NameProxy(at.of(err), h.V)
					}
					return y(v)
				})
			})
		})
	})
}

func sliceBound(c *compiler, q *syntax.Query, s *scope) *node {
	if q == nil {
		return constant(nil)
	}
	return c.query(q, s)
}

// iterate compiles .[], or .[]? if optional is set.
func iterate(at *place, optional bool) *node {
	return &node{multi: true, iter: true, gen: func(m *machine, e *env, in values.Located, y values.Yield) error {
		v, err := m.iterable(in)
		if err != nil {
			if optional && !values.IsUncatchable(err) {
				return nil
			}
			return values.NameProxy(at.of(err), in.V)
		}
		return m.each(values.Located{V: v, P: in.P}, y)
	}}
}

// iterable returns the input if it is an array or an object, and an error for any other
// value.
func (m *machine) iterable(in values.Located) (any, error) {
	v, err := m.ForceList(in.V)
	if err != nil {
		return nil, err
	}
	switch v.(type) {
	case []any, *object.Object:
		return v, values.CheckPath(&m.Task, in, values.InvalidIteration)
	}
	return nil, values.CannotIterate(v)
}

// each yields the elements of an array or the members of an object. It yields nothing for
// other values.
func (m *machine) each(in values.Located, y values.Yield) error {
	switch v := in.V.(type) {
	case []any:
		for i, w := range v {
			if err := m.Tick(); err != nil {
				return err
			}
			if err := m.Step(w, values.Child(in, i, w), y); err != nil {
				return err
			}
		}
	case *object.Object:
		for k, w := range v.All() {
			if err := m.Tick(); err != nil {
				return err
			}
			if err := m.Step(w, values.Child(in, k, w), y); err != nil {
				return err
			}
		}
	}
	return nil
}

// updating maps each update operator, such as +=, to its arithmetic operation.
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

// modify compiles l |= r.
func modify(l, r *node, at *place) *node {
	return one(func(m *machine, e *env, in values.Located) (values.Located, error) {
		v, err := m.modify(e, in.V, l, func(m *machine, old any, y values.Yield) error { return r.run(m, e, values.Located{V: old}, y) })
		if err != nil {
			return in, at.of(err)
		}
		return in.Made(v), nil
	})
}

// assign compiles l = r. It yields one updated input for each result of r.
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

// constantPath returns the path of a query such as .a.b[0], which consists only of names
// and constant indexes. Such a path is known without evaluating anything.
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

// updateBy compiles an arithmetic update, such as l += r. It yields one updated input for
// each result of r.
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

// modify replaces the value at every path of l by the first result of f for that value.
// If f has no result, the path is deleted after all replacements. If a failed load drops
// a proxy, the values at the paths of this proxy are not replaced.
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
