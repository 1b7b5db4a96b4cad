package eval

import (
	"github.com/meshq/kubectl-meshq/query/ahead"
	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/values"
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

// missing is called when a field was looked up by its name and came out null:
// it is told when the field is not one of the kind's.
func (m *machine) missing(v any, name string) {
	fields, _ := values.Peek(v).(*object.Object)
	if _, ok := fields.Lookup(name); ok || fields == nil {
		return
	}
	kind, ok := fields.Get("kind").(string)
	if o, isObject := v.(*mesh.Object); isObject {
		kind, ok = o.Kind, true
	}
	if ok && m.run.hints.news(kind, name) {
		m.Report(ahead.Event{Kind: kind, Field: name})
	}
}
