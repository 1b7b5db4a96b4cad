package builtin

import (
	"maps"

	"github.com/meshq/kubectl-meshq/query/values"
)

// forced returns a builtin that loads its input before it calls fn.
func forced(fn values.Func) values.Func {
	return func(m *values.Task, in any, args []any) (any, error) {
		in, err := m.Force(in)
		if err != nil {
			return nil, err
		}
		return fn(m, in, args)
	}
}

// looked does the same as forced, for a function that keeps no reference to an input
// array. So the evaluator may still change the array in place afterwards.
func looked(fn values.Func) values.Func {
	return func(m *values.Task, in any, args []any) (any, error) {
		in, err := m.Borrow(in)
		if err != nil {
			return nil, err
		}
		return fn(m, in, args)
	}
}

// Functions returns the builtins that can be computed from values alone, with keys of the
// form "name/arity".
func Functions() map[string]values.Func {
	table := delegation()
	table["setpath/2"] = func(m *values.Task, in any, a []any) (any, error) { return setAt(m, in, a[0], a[1]) }
	table["delpaths/1"] = func(m *values.Task, in any, a []any) (any, error) { return deleteAt(m, in, a[0]) }
	for _, group := range []map[string]values.Func{
		containerBuiltins(), entryBuiltins(), orderBuiltins(), searchBuiltins(), mathBuiltins(), textBuiltins(), byteBuiltins(), formatBuiltins(),
	} {
		maps.Copy(table, group)
	}
	return table
}

func setAt(m *values.Task, in, path, v any) (any, error) {
	path, err := m.Deep(path)
	if err != nil {
		return nil, err
	}
	keys, ok := path.([]any)
	if !ok {
		return nil, values.ErrPath
	}
	return values.SetPath(m, in, keys, v)
}

func deleteAt(m *values.Task, in, paths any) (any, error) {
	paths, err := m.Deep(paths)
	if err != nil {
		return nil, err
	}
	list, ok := paths.([]any)
	if !ok {
		return nil, values.TextError("Paths must be specified as an array")
	}
	return values.DeletePaths(m, in, list)
}
