package eval

import (
	"github.com/meshq/kubectl-meshq/query/builtin"
	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/values"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// collectionBuiltins returns the builtins that evaluate an argument for each element or
// member of their input, such as map, group_by and INDEX.
func collectionBuiltins() map[string]maker {
	table := map[string]maker{
		"add/1": func(c *compiler, f *syntax.Func, s *scope) *node { return total(c.query(f.Args[0], s), c.mark(f.Span)) },
		"map/1": func(c *compiler, f *syntax.Func, s *scope) *node {
			return collect(c.seq(c.stages(f.Args[0], s, []stage{c.iterStage(f.Span, false)})))
		},
		"INDEX/2": indexed,
		"with_entries/1": func(c *compiler, f *syntax.Func, s *scope) *node {
			each := collect(c.seq(c.stages(f.Args[0], s, []stage{iterStage(false)})))
			bare := &syntax.Func{Span: f.Span, Name: f.Name}
			return pipe(c.natives["to_entries/0"](c, bare, s), pipe(each, c.natives["from_entries/0"](c, bare, s)))
		},
	}
	for name, do := range builtin.Orderings() {
		table[syntax.Key(name, 1)] = orderedBy(name, do)
	}
	return table
}

// total evaluates [f] | add. It doesn't build the array, which saves memory.
func total(f *node, at *place) *node {
	return one(func(m *machine, e *env, in values.Located) (values.Located, error) {
		s := values.NewSum(&m.Task)
		err := f.run(m, e, values.Plain(in), func(v values.Located) error { return s.Push(v.V) })
		if err != nil {
			return in, err
		}
		v, err := s.Result()
		return in.Made(v), at.of(err)
	})
}

// indexed implements INDEX(rows; name): an object in which each row has its name as the
// key. A later row replaces an earlier row with the same name.
func indexed(c *compiler, f *syntax.Func, s *scope) *node {
	named := keyOf(pipe(c.query(f.Args[1], s), c.call(&syntax.Func{Span: f.Span, Name: "tostring"}, nil)))
	rows := c.seq(append(c.stages(f.Args[0], s, nil), stage{n: named}))
	return one(func(m *machine, e *env, in values.Located) (values.Located, error) {
		out := object.New(0)
		err := rows.run(m, e, values.Plain(in), func(v values.Located) error {
			row := v.V.(builtin.Keyed)
			for _, name := range row.All() {
				out.Set(name.(string), row.V)
			}
			return m.Alloc(values.EntrySize)
		})
		return in.Made(out), err
	})
}

// keyOf yields the results of f for each element of an iteration, for example the sort
// keys. Elements that still have to be loaded are evaluated concurrently. If an element
// can't be loaded, it is omitted together with its key.
func keyOf(f *node) *node {
	return one(func(m *machine, e *env, in values.Located) (values.Located, error) {
		if f.one != nil {
			v, err := f.one(m, e, values.Plain(in))
			if err != nil {
				return in, err
			}
			k, err := m.Force(v.V)
			return values.Located{V: builtin.Keyed{V: in.V, Key: k}}, err
		}
		keys := []any{}
		err := f.gen(m, e, values.Plain(in), func(v values.Located) error {
			k, err := m.Force(v.V)
			if err != nil {
				return err
			}
			keys, err = m.Push(keys, k)
			return err
		})
		if len(keys) == 1 {
			return values.Located{V: builtin.Keyed{V: in.V, Key: keys[0]}}, err
		}
		return values.Located{V: builtin.Keyed{V: in.V, Key: builtin.Several(keys)}}, err
	})
}

// orderedBy returns a builtin, such as sort_by, that orders an array by the results of f
// for its elements.
func orderedBy(name string, do builtin.Ordering) maker {
	return func(c *compiler, f *syntax.Func, s *scope) *node {
		at := c.mark(f.Span)
		by := c.query(f.Args[0], s)
		elements := c.seq([]stage{c.iterStage(f.Span, false), {n: keyOf(by)}})
		return one(func(m *machine, e *env, in values.Located) (values.Located, error) {
			var items []builtin.Keyed
			err := elements.run(m, e, values.Plain(in), func(v values.Located) error {
				items = append(items, v.V.(builtin.Keyed))
				return m.Alloc(2 * values.ItemSize)
			})
			if err != nil {
				return in, err
			}
			v, err := m.ForceList(in.V)
			if err != nil {
				return in, values.NameProxy(at.of(err), in.V)
			}
			if _, ok := v.([]any); !ok { // a value that isn't an array is an object here
				keys := make([]any, len(items))
				for i := range items {
					keys[i] = items[i].All()
				}
				return in, at.of(builtin.Unordered(name, v, keys))
			}
			v, err = do(&m.Task, items)
			return in.Made(v), at.of(err)
		})
	}
}

// regexBuiltins returns the builtins that match regular expressions. Each call in a query
// caches the expressions that it has compiled.
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

// substitution returns the builtin sub, or gsub if flag is "g".
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
