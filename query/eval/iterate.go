package eval

import (
	"github.com/meshq/kubectl-meshq/query/values"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// iterate is .[], or .[]? when optional.
func iterate(at *place, optional bool) *node {
	return &node{multi: true, iter: true, gen: func(m *machine, e *env, in values.Located, y values.Yield) error {
		v, err := m.iterable(in)
		if err != nil {
			if optional && !values.IsUncatchable(err) {
				return nil
			}
			return values.NameProxy(at.of(err), in.V)
		}
		return m.each(values.Located{V: v, P: in.P}, y)
	}}
}

// iterable gives the container that in is.
func (m *machine) iterable(in values.Located) (any, error) {
	v, err := m.ForceList(in.V)
	if err != nil {
		return nil, err
	}
	switch v.(type) {
	case []any, *object.Object:
		return v, values.CheckPath(&m.Task, in, values.InvalidIteration)
	}
	return nil, values.CannotIterate(v)
}

// each yields the members of an array, or of an object, and nothing for anything else.
func (m *machine) each(in values.Located, y values.Yield) error {
	switch v := in.V.(type) {
	case []any:
		for i, w := range v {
			if err := m.Tick(); err != nil {
				return err
			}
			if err := m.Step(w, values.Child(in, i, w), y); err != nil {
				return err
			}
		}
	case *object.Object:
		for k, w := range v.All() {
			if err := m.Tick(); err != nil {
				return err
			}
			if err := m.Step(w, values.Child(in, k, w), y); err != nil {
				return err
			}
		}
	}
	return nil
}
