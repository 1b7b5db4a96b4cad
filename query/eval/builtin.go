package eval

import (
	"maps"
	"slices"

	"github.com/meshq/kubectl-meshq/query/builtin"
	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/values"
)

// builtins returns the builtin functions that are written in Go. The keys have the form
// "name/arity". The other builtins are written in jq, in prelude.jq.
func builtins() map[string]maker {
	table := make(map[string]maker, 256)
	for name, fn := range builtin.Functions() {
		table[name] = value(fn)
	}
	for _, group := range []map[string]maker{
		controlBuiltins(), loopBuiltins(), collectionBuiltins(), pathBuiltins(), regexBuiltins(), runBuiltins(), judgeBuiltins(),
	} {
		maps.Copy(table, group)
	}
	return table
}

// Builtins returns the functions that every query may call, as "name/arity", sorted. It
// omits internal ones, whose names begin with an underscore.
func Builtins() []string {
	names := map[string]bool{}
	for k := range builtins() {
		names[k] = true
	}
	for k := range preludeTexts() {
		names[k] = true
	}
	maps.DeleteFunc(names, func(k string, _ bool) bool { return k[0] == '_' })
	return slices.Sorted(maps.Keys(names))
}

// value turns a Go function on values into a builtin. The values it receives may be lazy,
// that is, not loaded yet.
func value(fn values.Func) maker {
	fn = values.AbsentAsList(fn)
	apply := func(m *machine, in any, args []any) (any, error) { return fn(&m.Task, in, args) }
	return func(c *compiler, f *syntax.Func, s *scope) *node { return c.apply(f, s, apply) }
}

// bound compiles a call of a Go function. If arguments have several results, the function
// is called for each combination, and the first argument varies most slowly. That is the
// order of a jq definition def f($a; $b).
func (c *compiler) bound(f *syntax.Func, s *scope, fn func(m *machine, in values.Located, args []any, y values.Yield) error) *node {
	return c.boundIn(f, s, func(m *machine, _ *env, in values.Located, args []any, y values.Yield) error {
		return fn(m, in, args, y)
	})
}

// boundIn does the same as bound, for a Go function that also evaluates queries. Errors
// of the function itself receive the position of the call; errors of the consumer of its
// results don't.
func (c *compiler) boundIn(f *syntax.Func, s *scope, fn func(m *machine, e *env, in values.Located, args []any, y values.Yield) error) *node {
	return boundTo(c.args(f, s), c.mark(f.Span), fn)
}

func boundTo(args []*node, at *place, fn func(m *machine, e *env, in values.Located, args []any, y values.Yield) error) *node {
	return gen(func(m *machine, e *env, in values.Located, y values.Yield) error {
		return m.combine(e, in, args, true, func(vs []any) error {
			var below error
			err := fn(m, e, in, slices.Clone(vs), func(v values.Located) error {
				below = y(v)
				return below
			})
			if below != nil {
				return below
			}
			return values.NameProxy(at.of(err), in.V)
		})
	})
}

// boundValue does the same as bound, for a Go function that returns exactly one result.
func (c *compiler) boundValue(f *syntax.Func, s *scope, fn values.Func) *node {
	args, at := c.args(f, s), c.mark(f.Span)
	if !single(args...) {
		return boundTo(args, at, func(m *machine, _ *env, in values.Located, args []any, y values.Yield) error {
			v, err := fn(&m.Task, in.V, args)
			if err != nil {
				return err
			}
			return y(in.Made(v))
		})
	}
	return one(func(m *machine, e *env, in values.Located) (values.Located, error) {
		vs := make([]any, len(args))
		for i, a := range args {
			v, err := a.one(m, e, values.Plain(in))
			if err != nil {
				return v, err
			}
			vs[i] = v.V
		}
		v, err := fn(&m.Task, in.V, vs)
		if err != nil {
			return in, values.NameProxy(at.of(err), in.V)
		}
		return in.Made(v), nil
	})
}
