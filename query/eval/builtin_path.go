package eval

import "github.com/meshq/kubectl-meshq/query/syntax"

// pathBuiltins say where a value is, and change what is there.
func pathBuiltins() map[string]builtin {
	return map[string]builtin{
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
		"setpath/2":  value(func(m *mach, in any, a []any) (any, error) { return m.setAt(in, a[0], a[1]) }),
		"delpaths/1": value(func(m *mach, in any, a []any) (any, error) { return m.deleteAt(in, a[0]) }),
	}
}

const errPath = plainError("Path must be specified as an array")

// pathsOf gives the path of every result of n; inner leaves out the input's
// own, which is empty.
func pathsOf(n *node, inner bool, at *place) *node {
	return gen(func(m *mach, e *env, in pv, y yield) error {
		var below error
		err := m.paths(e, in.v, n, func(ks []any, _ any) error {
			if inner && len(ks) == 0 {
				return nil
			}
			below = y(in.val(ks))
			return below
		})
		if below != nil {
			return below
		}
		return at.of(err)
	})
}

// getPath follows a path, and goes on from there when a path is asked for.
func getPath(c *compiler, f *syntax.Func, s *scope) *node {
	arg, at := c.query(f.Args[0], s), c.mark(f.Span)
	follow := func(m *mach, in pv, k any) (pv, error) {
		ks, err := m.deep(k)
		if err != nil {
			return in, err
		}
		keys, ok := ks.([]any)
		if !ok {
			return in, errPath
		}
		v, err := m.getpath(in.v, keys)
		if err != nil {
			return in, err
		}
		if err := m.checkPath(in, taken); err != nil {
			return in, err
		}
		out := pv{v, in.p}
		for _, k := range keys {
			out = child(out, k, v)
		}
		return out, nil
	}
	if arg.one != nil {
		return one(func(m *mach, e *env, in pv) (pv, error) {
			k, err := arg.one(m, e, plain(in))
			if err != nil {
				return k, err
			}
			v, err := follow(m, in, k.v)
			return v, about(at.of(err), in.v)
		})
	}
	return gen(func(m *mach, e *env, in pv, y yield) error {
		return arg.gen(m, e, plain(in), func(k pv) error {
			v, err := follow(m, in, k.v)
			if err != nil {
				return about(at.of(err), in.v)
			}
			return y(v)
		})
	})
}

// remove is del(n).
func remove(n *node, at *place) *node {
	return one(func(m *mach, e *env, in pv) (pv, error) {
		gone := []any{}
		err := m.paths(e, in.v, n, func(ks []any, _ any) (err error) {
			gone, err = m.push(gone, ks)
			return err
		})
		if err != nil {
			return in, at.of(err)
		}
		v, err := m.delpaths(in.v, gone)
		return in.val(v), about(at.of(err), in.v)
	})
}

func (m *mach) setAt(in, path, v any) (any, error) {
	path, err := m.deep(path)
	if err != nil {
		return nil, err
	}
	keys, ok := path.([]any)
	if !ok {
		return nil, errPath
	}
	return m.setpath(in, keys, v)
}

func (m *mach) deleteAt(in, paths any) (any, error) {
	paths, err := m.deep(paths)
	if err != nil {
		return nil, err
	}
	list, ok := paths.([]any)
	if !ok {
		return nil, plainError("Paths must be specified as an array")
	}
	return m.delpaths(in, list)
}
