package values

import (
	"encoding/json"
	"math/big"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// maxNesting is the maximum depth of nested arrays and objects in a value that is
// processed as a whole: printed, compared, merged, or passed to a function of the gojq
// library. jq 1.8.2 accepts only one more level.
const maxNesting = 10_000

const errNesting = TextError("the value is nested too deep: more than 10000 arrays and objects in one another")

// Nest must be called when two values that are processed together are entered one level
// deeper. It returns an error at a depth of more than maxNesting. The error begins with
// what, the name of the operation. Unnest undoes the call.
func (m *Task) Nest(what string) error {
	if m.nesting++; m.nesting > maxNesting+1 {
		m.nesting--
		return TextError(what + " too deep")
	}
	if err := m.Tick(); err != nil {
		m.nesting--
		return err
	}
	return nil
}

// Unnest undoes one call of Nest.
func (m *Task) Unnest() { m.nesting-- }

// Deep returns v with all its parts loaded. If no part of v is lazy, it returns v itself.
func (m *Task) Deep(v any) (any, error) {
	switch v.(type) {
	case mesh.Lazy, []any, *object.Object:
	default:
		return v, nil
	}
	left := m.shared.Budget.max / ItemSize
	whole, err := m.isPlain(v, 0, &left)
	if whole || err != nil {
		return v, err
	}
	return m.load(v, 0)
}

// isPlain reports whether v has no lazy parts. The counter left begins with the number of
// values that would fit into memory. isPlain subtracts each value that it visits, and
// stops at 0. Without this limit, checking a value that contains the same few values very
// often would take too long.
func (m *Task) isPlain(v any, depth int, left *int64) (bool, error) {
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

// visit subtracts the number of parts of an array or object from the counter left.
func (m *Task) visit(parts int, left *int64) error {
	if *left -= int64(parts); *left < 0 {
		return m.shared.Budget.exceeded()
	}
	return m.Tick()
}

func (m *Task) load(v any, depth int) (any, error) {
	if err := m.Tick(); err != nil {
		return nil, err
	}
	if w, ok := v.(mesh.Whole); ok {
		u, err := w.Deep(m.Ctx)
		m.Loaded()
		return u, m.Failed(err)
	}
	v, err := m.Force(v)
	if err != nil {
		return nil, err
	}
	switch x := v.(type) {
	case []any:
		if len(x) == 0 {
			return x, nil
		}
		if err := m.Alloc(ItemSize * len(x)); err != nil {
			return nil, err
		}
		return m.loadArray(x, depth)
	case *object.Object:
		if err := m.Alloc(EntrySize * x.Len()); err != nil {
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

func (m *Task) loadArray(x []any, depth int) (any, error) {
	y := make([]any, 0, len(x))
	load := func(m *Task, v any) (any, error) { return m.loadPart(v, depth) }
	if m.Host == nil {
		for _, v := range x {
			w, err := load(m, v)
			if err != nil {
				return nil, err
			}
			y = append(y, w)
		}
		return y, nil
	}
	err := m.Host.LoadEach(x, load, func(v any) { y = append(y, v) })
	return y, err
}

func (m *Task) loadPart(v any, depth int) (any, error) {
	if depth > maxNesting {
		return nil, errNesting
	}
	switch v.(type) {
	case mesh.Lazy, []any, *object.Object:
		return m.load(v, depth+1)
	}
	return v, nil
}

// Extent returns v with all its parts loaded, and the approximate length of its JSON text
// in bytes. If the text would need more memory than the run may use, Extent stops early
// and returns an error.
func (m *Task) Extent(v any) (any, int, error) {
	x := measure{m: m}
	plain, err := x.add(v, 0)
	if err != nil || plain {
		return v, x.size, err
	}
	if v, err = m.load(v, 0); err != nil {
		return nil, 0, err
	}
	x.size = 0
	_, err = x.add(v, 0)
	return v, x.size, err
}

// Size returns the approximate length of the JSON text of v in bytes. Parts that aren't
// loaded don't count.
func (m *Task) Size(v any) (int, error) {
	x := measure{m: m}
	_, err := x.add(v, 0)
	return x.size, err
}

type measure struct {
	m    *Task
	size int
}

// add adds the size of v to the measured size. At the first lazy part it stops and
// returns false.
func (x *measure) add(v any, depth int) (plain bool, err error) {
	switch v := v.(type) {
	case string:
		x.size += len(v) + 2
	case json.Number:
		x.size += len(v)
	case *big.Int:
		x.size += v.BitLen()/3 + 1
	case []any:
		if err := x.container(len(v), depth); err != nil {
			return false, err
		}
		for _, w := range v {
			if plain, err := x.add(w, depth+1); !plain {
				return false, err
			}
		}
	case *object.Object:
		if err := x.container(4*v.Len(), depth); err != nil {
			return false, err
		}
		for k, w := range v.All() {
			x.size += len(k)
			if plain, err := x.add(w, depth+1); !plain {
				return false, err
			}
		}
	case mesh.Lazy:
		return false, nil
	default:
		x.size += 8
	}
	return true, nil
}

func (x *measure) container(size, depth int) error {
	if x.size += size + 2; int64(x.size) > x.m.shared.Budget.max {
		return x.m.shared.Budget.exceeded()
	}
	if depth > maxNesting {
		return errNesting
	}
	if size >= 1<<12 { // measuring hundreds of strings of this length takes seconds, so the context is checked
		return x.m.Ctx.Err()
	}
	return x.m.Tick()
}
