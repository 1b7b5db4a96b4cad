package eval

import "github.com/meshq/kubectl-meshq/sources/mesh"

// path is where a value was found: the key, and the path of its container.
type path struct {
	up   *path
	key  any
	bad  bool // the value was made, not found
	last any  // then: what was found last, where up leads
}

var rootPath = &path{}

// keys gives the path as jq shows it.
func (p *path) keys() []any {
	n := 0
	for q := p; q != rootPath; q = q.up {
		if q.key != nil {
			n++
		}
	}
	ks := make([]any, n)
	for q := p; q != rootPath; q = q.up {
		if q.key != nil {
			n--
			ks[n] = q.key
		}
	}
	return ks
}

// child is a value found in another, under a key.
func child(in pv, key, v any) pv {
	if in.p == nil {
		return pv{v, nil}
	}
	return pv{v, &path{up: in.p, key: key}}
}

// checkPath refuses to go on from a value that was made: it has no place in
// the input. Doing says what was tried with it.
func (m *mach) checkPath(in pv, doing func() string) error {
	if in.p == nil || !in.p.bad {
		return nil
	}
	return &wordsError{func() string { return "Invalid path expression " + doing() + excerpt(in.v) }}
}

// What may be done with a value that a path leads to, as errors say it.
func taken() string    { return "with result " }
func iterated() string { return "near attempt to iterate through " }
func accessed(k any) func() string {
	return func() string { return "near attempt to access element " + excerpt(k) + " of " }
}

// paths calls f with every path that n gives in v, and the value there.
func (m *mach) paths(e *env, v any, n *node, f func([]any, any) error) error {
	return n.run(m, e, pv{v, rootPath}, func(w pv) error {
		if err := m.checkPath(w, taken); err != nil {
			return err
		}
		return f(w.p.keys(), w.v)
	})
}

// peek looks through what costs nothing to look through.
func peek(v any) any {
	if l, ok := v.(mesh.Lazy); ok {
		if w, ok := l.Forced(); ok {
			return w
		}
	}
	return v
}
