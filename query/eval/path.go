package eval

import (
	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/values"
)

// pathBuiltins returns the builtins that return paths, or change the values at given
// paths.
func pathBuiltins() map[string]maker {
	return map[string]maker{
		"path/1": func(c *compiler, f *syntax.Func, s *scope) *node {
			return pathsOf(c.query(f.Args[0], s), false, c.mark(f.Span))
		},
		"paths/0": func(c *compiler, f *syntax.Func, s *scope) *node {
			return pathsOf(gen(descend), true, c.mark(f.Span))
		},
		"paths/1": func(c *compiler, f *syntax.Func, s *scope) *node {
			return pathsOf(pipe(gen(descend), selection(c.query(f.Args[0], s))), true, c.mark(f.Span))
		},
		"getpath/1": getPath,
		"del/1": func(c *compiler, f *syntax.Func, s *scope) *node {
			return remove(c.query(f.Args[0], s), c.mark(f.Span))
		},
	}
}

// pathsOf yields the path of every result of n. If inner is set, it omits the empty path,
// which is that of the input itself.
func pathsOf(n *node, inner bool, at *place) *node {
	return gen(func(m *machine, e *env, in values.Located, y values.Yield) error {
		var below error
		err := m.paths(e, in.V, n, func(ks []any, _ any) error {
			if inner && len(ks) == 0 {
				return nil
			}
			below = y(in.Made(ks))
			return below
		})
		if below != nil {
			return below
		}
		return at.of(err)
	})
}

// getPath compiles getpath. A call of getpath may be part of a path expression.
func getPath(c *compiler, f *syntax.Func, s *scope) *node {
	arg, at := c.query(f.Args[0], s), c.mark(f.Span)
	follow := func(m *machine, in values.Located, k any) (values.Located, error) {
		ks, err := m.Deep(k)
		if err != nil {
			return in, err
		}
		keys, ok := ks.([]any)
		if !ok {
			return in, values.ErrPath
		}
		v, err := values.GetPath(&m.Task, in.V, keys)
		if err != nil {
			return in, err
		}
		if err := values.CheckPath(&m.Task, in, values.InvalidResult); err != nil {
			return in, err
		}
		out := values.Located{V: v, P: in.P}
		for _, k := range keys {
			out = values.Child(out, k, v)
		}
		return out, nil
	}
	if arg.one != nil {
		return one(func(m *machine, e *env, in values.Located) (values.Located, error) {
			k, err := arg.one(m, e, values.Plain(in))
			if err != nil {
				return k, err
			}
			v, err := follow(m, in, k.V)
			return v, values.NameProxy(at.of(err), in.V)
		})
	}
	return gen(func(m *machine, e *env, in values.Located, y values.Yield) error {
		return arg.gen(m, e, values.Plain(in), func(k values.Located) error {
			v, err := follow(m, in, k.V)
			if err != nil {
				return values.NameProxy(at.of(err), in.V)
			}
			return y(v)
		})
	})
}

// remove compiles del(n).
func remove(n *node, at *place) *node {
	return one(func(m *machine, e *env, in values.Located) (values.Located, error) {
		gone := []any{}
		err := m.paths(e, in.V, n, func(ks []any, _ any) (err error) {
			gone, err = m.Push(gone, ks)
			return err
		})
		if err != nil {
			return in, at.of(err)
		}
		v, err := values.DeletePaths(&m.Task, in.V, gone)
		return in.Made(v), values.NameProxy(at.of(err), in.V)
	})
}

// paths calls f for every path of the path expression n in the value v, with the path and
// the value at that path.
func (m *machine) paths(e *env, v any, n *node, f func([]any, any) error) error {
	return n.run(m, e, values.Located{V: v, P: values.RootPath}, func(w values.Located) error {
		if err := values.CheckPath(&m.Task, w, values.InvalidResult); err != nil {
			return err
		}
		return f(w.P.Keys(), w.V)
	})
}
