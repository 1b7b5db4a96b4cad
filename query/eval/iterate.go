package eval

import "github.com/meshq/kubectl-meshq/sources/object"

// iterate is .[], or .[]? when optional.
func iterate(at *place, optional bool) *node {
	return &node{multi: true, iter: true, gen: func(m *mach, e *env, in pv, y yield) error {
		v, err := m.iterable(in)
		if err != nil {
			if optional && !fatal(err) {
				return nil
			}
			return about(at.of(err), in.v)
		}
		return m.each(pv{v, in.p}, y)
	}}
}

// iterable gives the container that in is.
func (m *mach) iterable(in pv) (any, error) {
	v, err := m.list(in.v)
	if err != nil {
		return nil, err
	}
	switch v.(type) {
	case []any, *object.Object:
		return v, m.checkPath(in, iterated)
	}
	return nil, cannotIterate(v)
}

// each yields the members of an array, or of an object, and nothing for anything else.
func (m *mach) each(in pv, y yield) error {
	switch v := in.v.(type) {
	case []any:
		for i, w := range v {
			if err := m.tick(); err != nil {
				return err
			}
			if err := m.step(w, child(in, i, w), y); err != nil {
				return err
			}
		}
	case *object.Object:
		for k, w := range v.All() {
			if err := m.tick(); err != nil {
				return err
			}
			if err := m.step(w, child(in, k, w), y); err != nil {
				return err
			}
		}
	}
	return nil
}
