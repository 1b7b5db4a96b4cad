package eval

import (
	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/values"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// collect is [q].
func collect(q *node) *node {
	if q.one != nil {
		f := q.one
		return one(func(m *machine, e *env, in values.Located) (values.Located, error) {
			v, err := f(m, e, values.Plain(in))
			if err != nil {
				return in, err
			}
			return in.Made([]any{v.V}), m.Alloc(values.ItemSize)
		})
	}
	return one(func(m *machine, e *env, in values.Located) (values.Located, error) {
		xs := []any{}
		err := q.gen(m, e, values.Plain(in), func(v values.Located) (err error) {
			xs, err = m.Push(xs, v.V)
			return err
		})
		if err != nil {
			return in, err
		}
		return in.Made(xs), nil
	})
}

// str is a string; of an interpolated one each part goes through the function.
func (c *compiler) str(t *syntax.String, format *syntax.Func, s *scope) *node {
	if t.Queries == nil {
		return constant(t.Str)
	}
	if format == nil {
		format = &syntax.Func{Span: t.Span, Name: "tostring"}
	}
	n := constant("")
	for i, q := range t.Queries {
		var x *node
		if q.Term != nil && q.Term.Str != nil && q.Term.Type == syntax.TermString && len(q.Term.SuffixList) == 0 && q.Term.Str.Queries == nil {
			x = constant(q.Term.Str.Str)
		} else {
			x = pipe(c.query(q, s), c.call(format, s))
		}
		if i == 0 {
			n = x
		} else {
			n = map2(n, x, values.Add, c.mark(t.Span))
		}
	}
	return n
}

// formats are the functions behind the formats of strings.
var formats = map[string]string{
	"@text": "tostring", "@json": "tojson", "@html": "_tohtml", "@uri": "_touri", "@urid": "_tourid",
	"@csv": "_tocsv", "@tsv": "_totsv", "@sh": "_tosh", "@base64": "_tobase64", "@base64d": "_tobase64d",
}

func (c *compiler) format(t *syntax.Term, s *scope) *node {
	f := &syntax.Func{Span: t.Span, Name: "format", Args: []*syntax.Query{{Span: t.Span,
		Term: &syntax.Term{Type: syntax.TermString, Str: &syntax.String{Str: t.Format[1:]}}}}}
	if name, ok := formats[t.Format]; ok {
		f = &syntax.Func{Span: t.Span, Name: name}
	}
	if t.Str == nil {
		return c.call(f, s)
	}
	return c.str(t.Str, f, s)
}

// entry is a member of an object construction.
type entry struct {
	name  string
	key   *node // nil when the name is constant
	value *node // nil when it is the input's member of that name
	at    *place
}

func (c *compiler) object(o *syntax.Object, s *scope) *node {
	entries := make([]entry, len(o.KeyVals))
	simple := true
	for i, kv := range o.KeyVals {
		x := c.entry(kv, s)
		simple = simple && x.key == nil && x.value.one != nil
		entries[i] = x
	}
	if simple {
		return objectOf(entries)
	}
	return gen(func(m *machine, e *env, in values.Located, y values.Yield) error {
		b := builder{m: m, e: e, in: in, y: y, entries: entries, keys: make([]any, len(entries)), values: make([]any, len(entries))}
		return b.from(0)
	})
}

func (c *compiler) entry(kv *syntax.ObjectKeyVal, s *scope) entry {
	x := entry{at: c.mark(kv.Span)}
	switch {
	case kv.Key != "" && kv.Key[0] == '$':
		x.key = c.variable(&syntax.Func{Span: kv.Span, Name: kv.Key}, s)
		if kv.Val == nil {
			x.name, x.value, x.key = kv.Key[1:], x.key, nil
		}
	case kv.Key != "":
		x.name = kv.Key
	case kv.KeyString != nil && kv.KeyString.Queries == nil:
		x.name = kv.KeyString.Str
	case kv.KeyString != nil:
		x.key = c.str(kv.KeyString, nil, s)
	default:
		x.key = c.keyQuery(kv.KeyQuery, s)
	}
	if kv.Val != nil {
		x.value = c.query(kv.Val, s)
	} else if x.key == nil && x.value == nil {
		x.value = c.constantKey(x.name, x.at)
	}
	return x
}

// keyQuery compiles what gives the key of a member. One that is written as
// another value than a string is refused.
func (c *compiler) keyQuery(q *syntax.Query, s *scope) *node {
	if v, ok := writtenValue(q); ok {
		if _, ok := v.(string); !ok {
			c.fail(q.Span, "%s", values.NotAKey(v))
		}
	}
	return c.query(q, s)
}

// writtenValue gives the value of a query that is one as JSON has it.
func writtenValue(q *syntax.Query) (any, bool) {
	if v, ok := literal(q); ok || q.Term == nil || len(q.Term.SuffixList) > 0 || len(q.FuncDefs) > 0 {
		return v, ok
	}
	switch t := q.Term; t.Type {
	case syntax.TermNull:
		return nil, true
	case syntax.TermTrue:
		return true, true
	case syntax.TermFalse:
		return false, true
	case syntax.TermArray:
		if t.Array.Query == nil {
			return []any{}, true
		}
		v, ok := writtenValue(t.Array.Query)
		return []any{v}, ok
	case syntax.TermObject:
		return object.New(0), len(t.Object.KeyVals) == 0
	}
	return nil, false
}

// objectOf is an object whose names are known and whose values are single.
func objectOf(entries []entry) *node {
	return one(func(m *machine, e *env, in values.Located) (values.Located, error) {
		out := object.New(len(entries))
		for i := range entries {
			v, err := entries[i].value.one(m, e, values.Plain(in))
			if err != nil {
				return in, err
			}
			out.Set(entries[i].name, v.V)
		}
		return in.Made(out), m.Alloc(values.EntrySize * len(entries))
	})
}

// builder makes the objects of all combinations; the last member varies
// fastest.
type builder struct {
	m            *machine
	e            *env
	in           values.Located
	y            values.Yield
	entries      []entry
	keys, values []any
}

func (b *builder) from(i int) error {
	if i == len(b.entries) {
		return b.build()
	}
	x := &b.entries[i]
	if x.key == nil {
		return b.value(i, x.name)
	}
	return x.key.run(b.m, b.e, values.Plain(b.in), func(k values.Located) error { return b.value(i, k.V) })
}

func (b *builder) value(i int, k any) error {
	x := &b.entries[i]
	if x.value == nil {
		v, err := values.IndexForced(&b.m.Task, values.Plain(b.in), k)
		if err != nil {
			return values.NameProxy(x.at.of(err), b.in.V)
		}
		b.keys[i], b.values[i] = k, v.V
		return b.from(i + 1)
	}
	return x.value.run(b.m, b.e, values.Plain(b.in), func(v values.Located) error {
		b.keys[i], b.values[i] = k, v.V
		return b.from(i + 1)
	})
}

func (b *builder) build() error {
	out := object.New(len(b.keys))
	for i := range b.keys {
		k, err := b.m.Force(b.keys[i])
		if err != nil {
			return b.entries[i].at.of(err)
		}
		name, ok := k.(string)
		if !ok {
			return b.entries[i].at.of(values.NotAKey(k))
		}
		out.Set(name, b.values[i])
	}
	if err := b.m.Alloc(values.EntrySize * out.Len()); err != nil {
		return err
	}
	return b.y(b.in.Made(out))
}
