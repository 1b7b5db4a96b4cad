package eval

import (
	"github.com/meshq/kubectl-meshq/query/builtin"
	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/values"
)

// regexBuiltins match regular expressions. Each call in the query keeps the
// expressions that it compiled.
func regexBuiltins() map[string]maker {
	matchings := builtin.Matchings()
	table := map[string]maker{
		"split/2": func(c *compiler, f *syntax.Func, s *scope) *node { return collect(regex(matchings["splits"])(c, f, s)) },
		"sub/2":   substitution(""), "sub/3": substitution(""),
		"gsub/2": substitution("g"), "gsub/3": substitution("g"),
	}
	for arity := 1; arity <= 2; arity++ {
		table[syntax.Key("test", arity)] = test
		for name, do := range matchings {
			table[syntax.Key(name, arity)] = regex(do)
		}
	}
	return table
}

func regex(do builtin.Matching) maker {
	return func(c *compiler, f *syntax.Func, s *scope) *node {
		ps := &builtin.Patterns{}
		return c.bound(f, s, func(m *machine, in values.Located, args []any, y values.Yield) error {
			return do(&m.Task, ps, in, args, y)
		})
	}
}

func test(c *compiler, f *syntax.Func, s *scope) *node {
	ps := &builtin.Patterns{}
	return c.boundValue(f, s, func(m *values.Task, in any, args []any) (any, error) { return builtin.Test(m, ps, in, args) })
}

// substitution makes sub, and gsub with the flag g.
func substitution(flag string) maker {
	return func(c *compiler, f *syntax.Func, s *scope) *node {
		ps := &builtin.Patterns{}
		call := &syntax.Func{Span: f.Span, Name: f.Name, Args: []*syntax.Query{f.Args[0]}}
		if len(f.Args) > 2 {
			call.Args = append(call.Args, f.Args[2])
		}
		replacement := c.query(f.Args[1], s)
		return c.boundIn(call, s, func(m *machine, e *env, in values.Located, args []any, y values.Yield) error {
			var flags any
			if len(args) > 1 {
				flags = args[1]
			}
			if flag != "" {
				var err error
				if flags, err = values.Add(&m.Task, flags, flag); err != nil {
					return err
				}
			}
			replace := func(groups any, use func(any) error) error {
				return replacement.run(m, e, values.Located{V: groups}, func(v values.Located) error { return use(v.V) })
			}
			return builtin.Substitute(&m.Task, ps, in, args[0], flags, replace, y)
		})
	}
}
