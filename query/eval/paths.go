package eval

import "github.com/meshq/kubectl-meshq/sources/mesh"

// getpath is v[k1][k2]…, for a path that may be any array. It loads what it
// looks into, and no more.
func (m *mach) getpath(v any, ks []any) (any, error) {
	w := v
	for _, k := range ks {
		x, err := m.force(w)
		if err != nil {
			return nil, err
		}
		if mesh.IsAbsent(w) { // and so is all that would be in it
			break
		}
		if w, err = m.member(x, k); err != nil {
			if fatal(err) || asFault(err) != nil {
				return nil, err
			}
			return nil, &pathError{name: "getpath", v: v, path: ks, err: err}
		}
	}
	return w, nil
}

// pathError says which path does not fit a value, in gojq's words. Its text
// is made only when somebody asks for it, and without loading anything.
type pathError struct {
	name    string
	v, path any
	set     bool // there is a new value
	new     any
	err     error
}

func (e *pathError) Error() string {
	s := e.name + "(" + excerpt(e.path)
	if e.set {
		s += "; " + excerpt(e.new)
	}
	return s + ") cannot be applied to " + excerpt(e.v) + ": " + e.err.Error()
}
