package eval

import (
	"math"

	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/syntax/native"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// slice is head[start:end]. The start varies most slowly, the head fastest.
func (c *compiler) slice(x *syntax.Index, at *place, head *node, s *scope) *node {
	start, end := c.edge(x.Start, s), c.edge(x.End, s)
	if single(start, end, head) {
		return one(func(m *mach, e *env, in pv) (pv, error) {
			a, err := start.one(m, e, plain(in))
			if err != nil {
				return a, err
			}
			b, err := end.one(m, e, plain(in))
			if err != nil {
				return b, err
			}
			h, err := head.one(m, e, in)
			if err != nil {
				return h, err
			}
			v, err := m.slice(h, a.v, b.v)
			return v, about(at.of(err), h.v)
		})
	}
	return gen(func(m *mach, e *env, in pv, y yield) error {
		return start.run(m, e, plain(in), func(a pv) error {
			return end.run(m, e, plain(in), func(b pv) error {
				return head.run(m, e, in, func(h pv) error {
					v, err := m.slice(h, a.v, b.v)
					if err != nil {
						return about(at.of(err), h.v)
					}
					return y(v)
				})
			})
		})
	})
}

func (c *compiler) edge(q *syntax.Query, s *scope) *node {
	if q == nil {
		return constant(nil)
	}
	return c.query(q, s)
}

// slice gives the part of in between two bounds, and its path.
func (m *mach) slice(in pv, start, end any) (pv, error) {
	if l, ok := in.v.(*list); ok && in.p == nil && lengthOf(l) >= listMost {
		if end == nil && start == 1 {
			v, err := m.cut(l, listShift)
			return pv{v, nil}, err
		} else if end == -1 && (start == nil || start == 0) {
			v, err := m.cut(l, listCut)
			return pv{v, nil}, err
		}
	}
	v, err := m.force(in.v)
	if err != nil {
		return in, err
	}
	if start, err = m.deep(start); err != nil {
		return in, err
	}
	if end, err = m.deep(end); err != nil {
		return in, err
	}
	k := object.Of("start", start, "end", end)
	if err := m.checkPath(pv{v, in.p}, accessed(k)); err != nil {
		return in, err
	}
	w, err := m.memberRare(v, k)
	if err != nil {
		return in, err
	}
	if mesh.IsAbsent(in.v) {
		w = in.v
	}
	return child(in, k, w), nil
}

const noBound = plainError("Array/string slice indices must be integers")

// edges gives the place of the slice that a key names.
func edges(n int, k *object.Object) (i, j int, err error) {
	start, ok1 := k.Lookup("start")
	end, ok2 := k.Lookup("end")
	if !ok1 || !ok2 {
		return 0, 0, noBound
	}
	return bounds(n, start, end)
}

// bounds gives the place of a slice in an array of n elements.
func bounds(n int, start, end any) (i, j int, err error) {
	j = n
	if start != nil {
		k, ok := round(start, math.Floor)
		if !ok {
			return 0, 0, noBound
		}
		i = clamp(k, 0, n)
	}
	if end != nil {
		k, ok := roundUp(end)
		if !ok {
			return 0, 0, noBound
		}
		j = clamp(k, i, n)
	}
	return i, j, nil
}

// clamp counts a negative index from the end, n, and keeps it in [low, n].
func clamp(i, low, n int) int {
	if i < 0 {
		i += n
	}
	return max(low, min(i, n))
}

// roundUp is round to the next integer above. As gojq has it, what is just
// below zero, and what is no number, means the end.
func roundUp(v any) (int, bool) {
	if f, ok := numeric(v).(float64); ok && (-1 < f && f < 0 || math.IsNaN(f)) {
		return math.MaxInt, true
	}
	return round(v, math.Ceil)
}

// round makes an index of a bound.
func round(v any, to func(float64) float64) (int, bool) {
	v = numeric(v)
	if f, ok := v.(float64); ok {
		v = to(f)
	}
	return native.ToInt(v)
}
