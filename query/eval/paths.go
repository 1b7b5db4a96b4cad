package eval

import "github.com/meshq/kubectl-meshq/sources/mesh"

// errLongPath is the error of a path that leads deeper than values nest.
const errLongPath = plainError("Path too deep")

// getpath is v[k1][k2]…, for a path that may be any array. It loads what it
// looks into, and no more.
func (m *mach) getpath(v any, ks []any) (any, error) {
	if len(ks) > maxNesting {
		return nil, errLongPath
	}
	w := v
	for _, k := range ks {
		x, err := m.lookFor(w, k)
		if err != nil {
			return nil, err
		}
		if mesh.IsAbsent(w) { // and so is all that would be in it
			break
		}
		if w, err = m.member(x, k); err != nil {
			return nil, err
		}
	}
	return w, nil
}
