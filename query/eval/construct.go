package eval

import (
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/values"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// collect compiles [q], which puts all results of q into an array.
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

// str compiles a string literal. In an interpolated string, the format, such as @base64,
// is applied to each interpolated value.
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

// formats maps each string format, such as @base64, to the builtin that implements it.
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

// entry is one member of an object construction, such as name: .x in {name: .x}.
type entry struct {
	name  string
	key   *node // expression for the key; nil if the key is constant
	value *node // expression for the value; nil for {name}, which copies the member from the input
	at    *place
}

func (c *compiler) object(o *syntax.Object, s *scope) *node {
	entries := make([]entry, len(o.KeyVals))
	simple := true
	for i, kv := range o.KeyVals {
		x := compileEntry(c, kv, s)
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

func compileEntry(c *compiler, kv *syntax.ObjectKeyVal, s *scope) entry {
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

// keyQuery compiles the expression for a key of an object. A literal that isn't a string
// is an error.
func (c *compiler) keyQuery(q *syntax.Query, s *scope) *node {
	if v, ok := writtenValue(q); ok {
		if _, ok := v.(string); !ok {
			c.fail(q.Span, "%s", values.NotAKey(v))
		}
	}
	return c.query(q, s)
}

// writtenValue returns the value of an expression that is a JSON literal. ok is false for
// any other expression.
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

// objectOf compiles an object construction whose keys are constant and whose values yield
// exactly one result each.
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

// builder constructs an object for an expression such as {(k): v}. If keys or values have
// several results, it constructs one object for each combination of the results. The last
// member varies fastest.
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

// binding matches a value against patterns such as [$a, {b: $c}]. For each match, it
// calls body with the environment that contains the variables.
type binding = func(m *machine, e *env, v any, body func(*env) error) error

// patterns compiles the patterns after "as". If several patterns are joined by ?//, an
// error with one pattern causes the next one to be tried. The body can use the variables
// of all patterns; variables that the matching pattern doesn't set are null.
func (c *compiler) patterns(ps []*syntax.Pattern, s *scope) (*scope, binding) {
	if len(ps) == 1 && ps[0].Name != "" {
		return &scope{up: s, name: ps[0].Name}, func(_ *machine, e *env, v any, body func(*env) error) error {
			return body(&env{up: e, v: v})
		}
	}
	var names []string
	for _, p := range ps {
		names = patternNames(p, names)
	}
	in := s
	for _, n := range names {
		in = &scope{up: in, name: n}
	}
	ms := make([]matcher, len(ps))
	for i, p := range ps {
		ms[i] = compilePattern(c, p, in)
	}
	return in, func(m *machine, e *env, v any, body func(*env) error) error {
		for i, match := range ms {
			x := e
			for range names {
				x = &env{up: x}
			}
			err := match(m, x, v, body)
			if err == nil || i == len(ms)-1 || values.IsUncatchable(values.StripDownstream(err)) {
				return err
			}
		}
		return nil
	}
}

func patternNames(p *syntax.Pattern, names []string) []string {
	add := func(n string) {
		if !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	if p.Name != "" {
		add(p.Name)
	}
	for _, q := range p.Array {
		names = patternNames(q, names)
	}
	for _, o := range p.Object {
		if strings.HasPrefix(o.Key, "$") {
			add(o.Key)
		}
		if o.Val != nil {
			names = patternNames(o.Val, names)
		}
	}
	return names
}

// matcher sets the variables of one part of a pattern in the environment e. Then it calls
// its callback, with the new environment.
type matcher = func(m *machine, e *env, v any, then func(*env) error) error

func compilePattern(c *compiler, p *syntax.Pattern, in *scope) matcher {
	if p.Name != "" {
		return setter(p.Name, in)
	}
	var steps []matcher
	at := c.mark(p.Span)
	for i, q := range p.Array {
		steps = append(steps, elementMatcher(i, compilePattern(c, q, in), at))
	}
	for _, o := range p.Object {
		steps = append(steps, memberMatcher(c, o, in))
	}
	return func(m *machine, e *env, v any, then func(*env) error) error {
		var next func(i int, e *env) error
		next = func(i int, e *env) error {
			if i == len(steps) {
				return then(e)
			}
			return steps[i](m, e, v, func(e *env) error { return next(i+1, e) })
		}
		return next(0, e)
	}
}

func setter(name string, in *scope) matcher {
	_, d := in.find(name)
	return func(_ *machine, e *env, v any, then func(*env) error) error { return then(e.with(d, v)) }
}

// with returns a copy of the environment in which one entry has the value v. d is the
// number of entries between e and that entry. Only the entries up to it are copied, which
// are few.
func (e *env) with(d int, v any) *env {
	if d == 0 {
		return &env{up: e.up, v: v}
	}
	return &env{up: e.up.with(d-1, v), v: e.v}
}

func elementMatcher(i int, sub matcher, at *place) matcher {
	return func(m *machine, e *env, v any, then func(*env) error) error {
		v, err := m.Force(v)
		if err != nil {
			return at.of(err)
		}
		var w any
		switch v := v.(type) {
		case nil:
		case []any:
			if i < len(v) {
				w = v[i]
			}
		default:
			return at.of(values.CannotIndex(v, i))
		}
		return sub(m, e, w, then)
	}
}

func memberMatcher(c *compiler, o *syntax.PatternObject, in *scope) matcher {
	key, bind := patternKey(c, o, in)
	at := c.mark(o.Span)
	var sub matcher
	if o.Val != nil {
		sub = compilePattern(c, o.Val, in)
	}
	return func(m *machine, e *env, v any, then func(*env) error) error {
		return key.run(m, e, values.Located{V: v}, func(k values.Located) error {
			w, err := values.IndexForced(&m.Task, values.Located{V: v}, k.V)
			if err != nil {
				return values.NameProxy(at.of(err), v)
			}
			next := then
			if sub != nil {
				next = func(e *env) error { return sub(m, e, w.V, then) }
			}
			if bind != nil {
				return bind(m, e, w.V, next)
			}
			return next(e)
		})
	}
}

// patternKey compiles the key of an object pattern. If the key is a variable, as in
// {$name}, it also returns the matcher that sets the variable.
func patternKey(c *compiler, o *syntax.PatternObject, in *scope) (*node, matcher) {
	switch {
	case strings.HasPrefix(o.Key, "$"):
		return constant(o.Key[1:]), setter(o.Key, in)
	case o.Key != "":
		return constant(o.Key), nil
	case o.KeyString != nil:
		return c.str(o.KeyString, nil, in), nil
	}
	return c.keyQuery(o.KeyQuery, in), nil
}

// bind compiles "left as patterns | right". If there are several patterns, an error in
// one of them or in right causes the next pattern to be tried. In that case the
// evaluation is sequential.
func (c *compiler) bind(q *syntax.Query, s *scope, tail bool) *node {
	src := c.query(q.Left, s)
	if src.multi && len(q.Patterns) == 1 {
		return c.bindAhead(q, src, s)
	}
	in, match := c.patterns(q.Patterns, s)
	simple := len(q.Patterns) == 1 && q.Patterns[0].Name != ""
	body := c.queryAt(q.Right, in, tail && simple && src.one != nil)
	if simple && single(src, body) {
		return one(func(m *machine, e *env, in values.Located) (values.Located, error) {
			v, err := src.one(m, e, values.Plain(in))
			if err != nil {
				return v, err
			}
			return body.one(m, &env{up: e, v: v.V}, in)
		})
	}
	if simple && src.one != nil {
		return &node{multi: body.multi, gen: func(m *machine, e *env, in values.Located, y values.Yield) error {
			v, err := src.one(m, e, values.Plain(in))
			if err != nil {
				return err
			}
			return body.gen(m, &env{up: e, v: v.V}, in, y)
		}}
	}
	multi := body.multi && len(q.Patterns) == 1
	return &node{multi: multi, gen: func(m *machine, e *env, in values.Located, y values.Yield) error {
		return src.run(m, e, values.Plain(in), func(v values.Located) error {
			return match(m, e, v.V, func(e *env) error { return body.run(m, e, in, y) })
		})
	}}
}

// bindAhead compiles "left as pattern | right" if left is an iteration, so that right can
// be evaluated for several results of left concurrently. The original input, which right
// needs, is stored in an additional entry of the environment.
func (c *compiler) bindAhead(q *syntax.Query, src *node, s *scope) *node {
	in, match := c.patterns(q.Patterns, &scope{up: s})
	body := c.query(q.Right, in)
	source := &node{multi: true, gen: func(m *machine, e *env, in values.Located, y values.Yield) error { return src.gen(m, e.up, in, y) }}
	rest := gen(func(m *machine, e *env, v values.Located, y values.Yield) error {
		in := e.v.(*values.Located)
		return match(m, e, v.V, func(e *env) error { return body.run(m, e, *in, y) })
	})
	return &node{multi: true, gen: func(m *machine, e *env, in values.Located, y values.Yield) error {
		return m.pipe(&env{up: e, v: &in}, values.Plain(in), source, rest, y)
	}}
}
