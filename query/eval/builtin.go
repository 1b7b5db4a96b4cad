package eval

import (
	"maps"
	"slices"

	"github.com/meshq/kubectl-meshq/query/syntax"
)

// builtins gives the functions written in Go, under "name/arity". What jq
// defines in jq and is not among them is in prelude.jq.
func builtins() map[string]builtin {
	table := delegation()
	for _, group := range []map[string]builtin{
		controlBuiltins(), loopBuiltins(), containerBuiltins(), entryBuiltins(), orderBuiltins(), searchBuiltins(),
		pathBuiltins(), mathBuiltins(), textBuiltins(), byteBuiltins(), formatBuiltins(), regexBuiltins(), runBuiltins(), judgeBuiltins(),
	} {
		maps.Copy(table, group)
	}
	return table
}

// Builtins gives the functions that every query may call, as "name/arity", in
// order.
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

// value makes a function of unforced values.
func value(fn func(m *mach, in any, args []any) (any, error)) builtin {
	fn = absentAsList(fn)
	return func(c *compiler, f *syntax.Func, s *scope) *node { return c.apply(f, s, fn) }
}

// forced makes a function that is given its input looked into one level deep.
func forced(fn func(m *mach, in any, args []any) (any, error)) builtin {
	return value(func(m *mach, in any, args []any) (any, error) {
		in, err := m.force(in)
		if err != nil {
			return nil, err
		}
		return fn(m, in, args)
	})
}

// looked is forced for a function that keeps nothing of an array.
func looked(fn func(m *mach, in any, args []any) (any, error)) builtin {
	return value(func(m *mach, in any, args []any) (any, error) {
		in, err := m.look(in)
		if err != nil {
			return nil, err
		}
		return fn(m, in, args)
	})
}

// bound compiles the call of a function of values as those that are defined in
// jq have it, with def f($a; $b): the first argument varies most slowly.
func (c *compiler) bound(f *syntax.Func, s *scope, fn func(m *mach, in pv, args []any, y yield) error) *node {
	return c.boundIn(f, s, func(m *mach, _ *env, in pv, args []any, y yield) error { return fn(m, in, args, y) })
}

// boundIn is bound for a function that evaluates something itself, too. Its
// own errors have the place of the call, those of what follows don't.
func (c *compiler) boundIn(f *syntax.Func, s *scope, fn func(m *mach, e *env, in pv, args []any, y yield) error) *node {
	return boundTo(c.args(f, s), c.mark(f.Span), fn)
}

func boundTo(args []*node, at *place, fn func(m *mach, e *env, in pv, args []any, y yield) error) *node {
	return gen(func(m *mach, e *env, in pv, y yield) error {
		vs := make([]any, len(args))
		var each func(i int) error
		each = func(i int) error {
			if i < len(args) {
				return args[i].run(m, e, plain(in), func(v pv) error {
					vs[i] = v.v
					return each(i + 1)
				})
			}
			var below error
			err := fn(m, e, in, slices.Clone(vs), func(v pv) error {
				below = y(v)
				return below
			})
			if below != nil {
				return below
			}
			return about(at.of(err), in.v)
		}
		return each(0)
	})
}

// boundValue is bound for a function that gives one result.
func (c *compiler) boundValue(f *syntax.Func, s *scope, fn func(m *mach, in any, args []any) (any, error)) *node {
	args, at := c.args(f, s), c.mark(f.Span)
	if !single(args...) {
		return boundTo(args, at, func(m *mach, _ *env, in pv, args []any, y yield) error {
			v, err := fn(m, in.v, args)
			if err != nil {
				return err
			}
			return y(in.val(v))
		})
	}
	return one(func(m *mach, e *env, in pv) (pv, error) {
		vs := make([]any, len(args))
		for i, a := range args {
			v, err := a.one(m, e, plain(in))
			if err != nil {
				return v, err
			}
			vs[i] = v.v
		}
		v, err := fn(m, in.v, vs)
		if err != nil {
			return in, about(at.of(err), in.v)
		}
		return in.val(v), nil
	})
}
