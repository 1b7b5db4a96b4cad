package eval

import (
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// maxNesting is how deep arrays and objects may be nested in a value that is
// handled whole: printed, compared, merged, given to a function of gojq's. The
// limit is jq 1.8.2's, which lets one level more pass, too.
const maxNesting = 10_000

const errNesting = plainError("the value is nested too deep: more than 10000 arrays and objects in one another")

// nest is called at each level where two nested values are handled together;
// m.nesting-- undoes it. The error begins with what, the operation's name.
func (m *mach) nest(what string) error {
	if m.nesting++; m.nesting > maxNesting+1 {
		m.nesting--
		return plainError(what + " too deep")
	}
	if err := m.tick(); err != nil {
		m.nesting--
		return err
	}
	return nil
}

// deep gives v with nothing lazy in it. What holds nothing lazy is given back
// as it is.
func (m *mach) deep(v any) (any, error) {
	switch v.(type) {
	case mesh.Lazy, []any, *object.Object:
	default:
		return v, nil
	}
	left := m.run.budget.max / itemSize
	whole, err := m.isPlain(v, 0, &left)
	if whole || err != nil {
		return v, err
	}
	return m.load(v, 0)
}

// isPlain tells whether there is nothing lazy in v. Few values may be inside
// one another very many times: there may be left parts, as many as memory could
// hold.
func (m *mach) isPlain(v any, depth int, left *int64) (bool, error) {
	if depth > maxNesting {
		return false, errNesting
	}
	switch x := v.(type) {
	case mesh.Lazy:
		return false, nil
	case []any:
		if err := m.visit(len(x), left); err != nil {
			return false, err
		}
		for _, w := range x {
			if ok, err := m.isPlain(w, depth+1, left); !ok {
				return false, err
			}
		}
	case *object.Object:
		if err := m.visit(x.Len(), left); err != nil {
			return false, err
		}
		for _, w := range x.All() {
			if ok, err := m.isPlain(w, depth+1, left); !ok {
				return false, err
			}
		}
	}
	return true, nil
}

// visit takes the parts of a container from what is left.
func (m *mach) visit(parts int, left *int64) error {
	if *left -= int64(parts); *left < 0 {
		return m.run.budget.exceeded()
	}
	return m.tick()
}

func (m *mach) load(v any, depth int) (any, error) {
	if err := m.tick(); err != nil {
		return nil, err
	}
	if w, ok := v.(mesh.Whole); ok {
		u, err := w.Deep(m.ctx)
		m.at.ends()
		return u, m.met(err)
	}
	v, err := m.force(v)
	if err != nil {
		return nil, err
	}
	switch x := v.(type) {
	case []any:
		if len(x) == 0 {
			return x, nil
		}
		if err := m.alloc(itemSize * len(x)); err != nil {
			return nil, err
		}
		return m.loadArray(x, depth)
	case *object.Object:
		if err := m.alloc(entrySize * x.Len()); err != nil {
			return nil, err
		}
		y := object.New(x.Len())
		for k, w := range x.All() {
			if w, err = m.loadPart(w, depth); err != nil {
				return nil, err
			}
			y.Set(k, w)
		}
		return y, nil
	}
	return v, nil
}

func (m *mach) loadArray(x []any, depth int) (any, error) {
	y := make([]any, 0, len(x))
	one := func(m *mach, v pv, yield yield) error {
		w, err := m.loadPart(v.v, depth)
		if err != nil {
			return err
		}
		return yield(pv{w, nil})
	}
	from := func(m *mach, yield yield) error {
		for _, w := range x {
			if err := yield(pv{w, nil}); err != nil {
				return err
			}
		}
		return nil
	}
	add := func(v pv) error { y = append(y, v.v); return nil }
	if m.run.workers == 1 || m.scout || !severalPending(x) {
		return y, from(m, func(v pv) error { return one(m, v, add) })
	}
	err := m.eager(&region{from: from, use: one, y: add})
	return y, err
}

func (m *mach) loadPart(v any, depth int) (any, error) {
	if depth > maxNesting {
		return nil, errNesting
	}
	switch v.(type) {
	case mesh.Lazy, []any, *object.Object:
		return m.load(v, depth+1)
	}
	return v, nil
}

// pending tells whether looking into v means to wait for a load, now or one
// member further: worth doing for several such values at once.
func pending(v any) bool {
	switch x := v.(type) {
	case *mesh.Object:
		fields, _ := x.Forced()
		m, _ := fields.(*object.Object)
		return pendingMember(m)
	case mesh.Lazy:
		return x.Pending()
	case *object.Object:
		return pendingMember(x)
	}
	return false
}

func pendingMember(m *object.Object) bool {
	for _, w := range m.All() {
		switch l := w.(type) {
		case *mesh.Object:
			if pending(l) {
				return true
			}
		case mesh.Lazy:
			if l.Pending() {
				return true
			}
		}
	}
	return false
}

// severalPending tells whether more than one element of an array is worth
// loading at once with others. Only lazy ones are asked.
func severalPending(x []any) bool {
	n := 0
	for _, w := range x {
		if l, ok := w.(mesh.Lazy); ok && pending(l) {
			if n++; n > 1 {
				return true
			}
		}
	}
	return false
}
