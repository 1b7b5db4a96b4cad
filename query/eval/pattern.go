package eval

import (
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/values"
)

// binding takes a value apart and calls body with the environment that holds
// the parts, once for each way to do it.
type binding = func(m *machine, e *env, v any, body func(*env) error) error

// patterns compiles the patterns behind "as". With several, joined by ?//, the
// next one is tried when something goes wrong with one; body then has the
// variables of all of them, null where its own pattern has none.
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
		ms[i] = c.pattern(p, in)
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

// matcher sets the variables of a part of a pattern in e, one after the
// other, and goes on to then.
type matcher = func(m *machine, e *env, v any, then func(*env) error) error

func (c *compiler) pattern(p *syntax.Pattern, in *scope) matcher {
	if p.Name != "" {
		return setter(p.Name, in)
	}
	var steps []matcher
	at := c.mark(p.Span)
	for i, q := range p.Array {
		steps = append(steps, elementMatcher(i, c.pattern(q, in), at))
	}
	for _, o := range p.Object {
		steps = append(steps, c.memberMatcher(o, in))
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

// with gives the environment with another value d steps up. The entries in
// between are made anew; they are few.
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

func (c *compiler) memberMatcher(o *syntax.PatternObject, in *scope) matcher {
	key, bind := c.patternKey(o, in)
	at := c.mark(o.Span)
	var sub matcher
	if o.Val != nil {
		sub = c.pattern(o.Val, in)
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

// patternKey gives the key of a member, and what binds the member to the
// variable of that name when the key is one.
func (c *compiler) patternKey(o *syntax.PatternObject, in *scope) (*node, matcher) {
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
