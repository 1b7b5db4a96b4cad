package eval

import (
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// A sum adds values up, as add does, without making each sum on the way.
type sum struct {
	m       *mach
	total   any
	own     bool             // total was made here, and may be changed
	text    *strings.Builder // the total when it is a string
	partial error            // the first addition that could not be done
}

// push adds v. An addition that can't be done shows at the end only: what
// comes after it is still asked for, as if all had been collected first.
func (s *sum) push(v any) error {
	if s.partial != nil {
		return nil
	}
	v, err := s.m.force(v)
	if err != nil {
		return err
	}
	if v == nil {
		return nil
	}
	if done, err := s.extend(v); done || err != nil {
		return err
	}
	s.settle()
	total, err := add(s.m, s.total, v)
	if fatal(err) {
		return err
	}
	s.total, s.own, s.partial = total, false, err
	return nil
}

// extend grows a string, an array or an object in place.
func (s *sum) extend(v any) (done bool, err error) {
	switch x := v.(type) {
	case string:
		if s.text == nil {
			t, ok := s.total.(string)
			if !ok && s.total != nil {
				return false, nil
			}
			s.text = &strings.Builder{}
			s.text.WriteString(t)
		}
		return true, s.m.write(s.text, x)
	case []any:
		t, ok := s.total.([]any)
		if s.text != nil || !ok && s.total != nil {
			return false, nil
		}
		if !s.own {
			t, s.own = slices.Clone(t), true
		}
		if t == nil {
			t = []any{}
		}
		if len(t)+len(x) > cap(t) {
			err = s.m.alloc(itemSize * 2 * (len(t) + len(x)))
		}
		if err == nil {
			s.total = append(t, x...)
		}
		return true, err
	case *object.Object:
		t, ok := s.total.(*object.Object)
		if s.text != nil || !ok && s.total != nil {
			return false, nil
		}
		if !s.own {
			t, s.own = t.Clone(), true
		}
		if t == nil {
			t = object.New(0)
		}
		t.SetAll(x)
		s.total = t
		return true, s.m.alloc(entrySize * x.Len())
	}
	return false, nil
}

// write appends to a text, within the budget.
func (m *mach) write(b *strings.Builder, s string) error {
	if b.Len()+len(s) > b.Cap() {
		if err := m.alloc(2 * (b.Len() + len(s))); err != nil {
			return err
		}
	}
	b.WriteString(s)
	return nil
}

func (s *sum) settle() {
	if s.text != nil {
		s.total, s.text = s.text.String(), nil
	}
}

func (s *sum) result() (any, error) {
	s.settle()
	return s.total, s.partial
}

// sum adds up the elements of an array.
func (m *mach) sum(xs []any) (any, error) {
	s := sum{m: m}
	for _, x := range xs {
		if err := m.tick(); err != nil {
			return nil, err
		}
		if err := s.push(x); err != nil {
			return nil, err
		}
	}
	return s.result()
}
