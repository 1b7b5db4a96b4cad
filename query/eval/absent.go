package eval

import (
	"slices"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// list is force for what takes a list: a section that does not apply to a
// proxy's type is an empty one.
func (m *mach) list(v any) (any, error) {
	if mesh.IsAbsent(v) {
		return []any{}, nil
	}
	return m.force(v)
}

// absentAsList calls a function of values. A section that does not apply is
// null to a function that takes null, and an empty list to one that doesn't.
func absentAsList(fn func(m *mach, in any, args []any) (any, error)) func(m *mach, in any, args []any) (any, error) {
	return func(m *mach, in any, args []any) (any, error) {
		v, err := fn(m, in, args)
		if err == nil || fatal(err) || !mesh.IsAbsent(in) && !slices.ContainsFunc(args, mesh.IsAbsent) {
			return v, err
		}
		lists := make([]any, len(args))
		for i, a := range args {
			lists[i] = asList(a)
		}
		return fn(m, asList(in), lists)
	}
}

func asList(v any) any {
	if mesh.IsAbsent(v) {
		return []any{}
	}
	return v
}
