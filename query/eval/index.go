package eval

import (
	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/syntax/native"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// constantIndex tells whether an index is the same for every input.
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

// index is head[x]. What stands in the brackets is evaluated on the input of
// the whole term, and varies more slowly than the head.
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
	n := one(func(m *mach, e *env, in pv) (pv, error) {
		v, err := m.index(in, k)
		if err != nil {
			return v, about(at.of(err), in.v)
		}
		if hinted && v.v == nil {
			m.missing(in.v, name)
		}
		return v, nil
	})
	n.field = name
	return n
}

func indexBy(head, k *node, at *place) *node {
	if single(head, k) {
		return one(func(m *mach, e *env, in pv) (pv, error) {
			kv, err := k.one(m, e, plain(in))
			if err != nil {
				return kv, err
			}
			h, err := head.one(m, e, in)
			if err != nil {
				return h, err
			}
			v, err := m.indexAny(h, kv.v)
			return v, about(at.of(err), h.v)
		})
	}
	return gen(func(m *mach, e *env, in pv, y yield) error {
		return k.run(m, e, plain(in), func(kv pv) error {
			return head.run(m, e, in, func(h pv) error {
				v, err := m.indexAny(h, kv.v)
				if err != nil {
					return about(at.of(err), h.v)
				}
				return y(v)
			})
		})
	})
}

func (m *mach) indexAny(in pv, k any) (pv, error) {
	k, err := m.force(k)
	if err != nil {
		return in, err
	}
	return m.index(in, k)
}

// index gives the part of in under a key, and its path.
func (m *mach) index(in pv, k any) (pv, error) {
	if v, ok := memberKnown(in, k); ok {
		return pv{v, nil}, nil
	}
	v, err := m.lookFor(in.v, k)
	if err != nil {
		return in, err
	}
	if err := m.checkPath(pv{v, in.p}, accessed(k)); err != nil {
		return in, err
	}
	w, err := m.member(v, k)
	if err != nil {
		return in, err
	}
	if mesh.IsAbsent(in.v) {
		w = in.v
	}
	if in.p == nil {
		return pv{w, nil}, nil
	}
	return pv{w, &path{up: in.p, key: k}}, nil
}

// memberKnown gives a member that is known without a look into the object.
func memberKnown(in pv, k any) (any, bool) {
	x, ok := in.v.(mesh.Known)
	if name, isName := k.(string); ok && isName && in.p == nil {
		return x.Member(name)
	}
	return nil, false
}

// lookFor is force for one member of v. An array whose element alone is wanted
// may be changed in place afterwards.
func (m *mach) lookFor(v, k any) (any, error) {
	if _, ok := k.(int); ok {
		return m.look(v)
	}
	return m.force(v)
}

// member is v[k]; v is forced.
func (m *mach) member(v, k any) (any, error) {
	switch k := k.(type) {
	case string:
		switch x := v.(type) {
		case *object.Object:
			if w, ok := x.Lookup(k); ok {
				return w, nil
			}
			return mesh.Missing(x, k), nil
		case nil:
			return nil, nil
		}
		return nil, cannotIndex(v, k)
	case int:
		switch x := v.(type) {
		case []any:
			if k < 0 {
				k += len(x)
			}
			if 0 <= k && k < len(x) {
				return x[k], nil
			}
			return nil, nil
		case nil:
			return nil, nil
		}
		return nil, cannotIndex(v, k)
	}
	return m.memberRare(v, k)
}

// memberRare is v[k] for the other kinds of keys.
func (m *mach) memberRare(v, k any) (any, error) {
	k, err := m.deep(k)
	if err != nil {
		return nil, err
	}
	switch k := k.(type) {
	case *object.Object:
		switch x := v.(type) {
		case nil:
			return nil, nil
		case []any:
			i, j, err := edges(len(x), k)
			if err != nil {
				return nil, err
			}
			return x[i:j:j], nil
		case string:
			if _, _, err := edges(0, k); err != nil {
				return nil, err
			}
			return m.fallback("$a | .[$b:$c]", v, k.Get("start"), k.Get("end"))
		}
	case []any: // where k is in v
		if x, ok := v.([]any); ok {
			return m.placesOf(x, k)
		}
	case nil, bool:
	default: // a number
		switch x := v.(type) {
		case nil:
			return nil, nil
		case []any:
			if i, ok := native.ToInt(k); ok {
				return m.member(x, i)
			}
			return nil, nil
		}
	}
	return nil, cannotIndex(v, k)
}

// missing is called when a field was looked up by its name and came out null:
// it is told when the field is not one of the kind's.
func (m *mach) missing(v any, name string) {
	fields, _ := peek(v).(*object.Object)
	if _, ok := fields.Lookup(name); ok || fields == nil {
		return
	}
	kind, ok := fields.Get("kind").(string)
	if o, isObject := v.(*mesh.Object); isObject {
		kind, ok = o.Kind, true
	}
	if ok && m.run.hints.news(kind, name) {
		m.tell(event{kind: kind, field: name})
	}
}
