package diff

import (
	"slices"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// An Edit lies over two values at one place: what the one has there and what
// the other has. It is a tree: Inside has an edit for each member or element
// of either, in the order in which they are shown, those that are the same too.
// What isn't compared is in none.
type Edit struct {
	A, B     any // with nothing lazy in them, but where Same
	InA, InB bool
	Same     bool // both are there and say the same
	Inside   []Edit

	KeyA, KeyB     string // in the object around it
	IndexA, IndexB int    // in the list around it
	List           bool   // it is a list that Inside lies over, not an object

	Resource *Resource // what it is over, where that is an element of a section
	Hidden   bool      // of A only, and not compared: it counts as an element of the list, no more

	lines int // how many A's text has, of one that is the same and a resource
}

// build makes the edit of two values that are not equal.
func build(a, b any, p place) Edit {
	e := Edit{A: a, B: b, InA: true, InB: true}
	switch x := a.(type) {
	case *object.Object:
		if y, ok := b.(*object.Object); ok && x.Len() > 0 && y.Len() > 0 {
			e.Inside = buildMembers(x, y, p)
		}
	case []any:
		if y, ok := b.([]any); ok && len(x) > 0 && len(y) > 0 {
			e.Inside, e.List = buildElements(x, y, p), true
		}
	}
	return e
}

func buildMembers(a, b *object.Object, p place) []Edit {
	p, kind := p.inside(a, b), kindOf(a, b)
	var out []Edit
	for _, key := range a.Sorted() {
		if kind.leaves(key) {
			continue
		}
		other := p.spelled(key, b)
		v, w := a.Get(key), b.Get(other)
		e := Edit{A: v, B: w, InA: true, InB: has(b, other)}
		e.Same = equalMembers(kind.said(key, v), kind.said(key, w), true, e.InB, p.member(key))
		if !e.Same && e.InB {
			e = build(v, w, p.member(key))
		}
		e.KeyA, e.KeyB = key, other
		out = append(out, e)
	}
	for _, key := range b.Sorted() {
		other := p.spelled(key, a)
		if kind.leaves(key) || has(a, other) || equalMembers(nil, kind.said(key, b.Get(key)), false, true, p.member(key)) {
			continue
		}
		out = append(out, Edit{B: b.Get(key), InB: true, KeyA: other, KeyB: key})
	}
	slices.SortStableFunc(out, func(x, y Edit) int { return compareKeys(x.KeyA, y.KeyA) })
	return out
}

func compareKeys(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func buildElements(a, b []any, p place) []Edit {
	if rule := p.list(); rule.free {
		return merge(a, b, partners(a, b, p, rule), p)
	}
	return merge(a, b, inOrder(a, b, p), p)
}

// merge lays the elements of two lists beside one another: a's in their order,
// and each of b's that has no partner behind the one that it follows in b.
func merge(a, b []any, partner []int, p place) []Edit {
	taken := make([]bool, len(b))
	for _, j := range partner {
		if j >= 0 {
			taken[j] = true
		}
	}
	var out []Edit
	next := 0 // of b's that may have no partner
	for i, j := range partner {
		if j < 0 {
			out = append(out, Edit{A: a[i], InA: true, IndexA: i, IndexB: -1})
			continue
		}
		out, next = alone(out, b, taken, next, j)
		e := Edit{A: a[i], B: b[j], InA: true, InB: true, Same: equal(a[i], b[j], p)}
		if !e.Same {
			e = build(a[i], b[j], p)
		}
		e.IndexA, e.IndexB = i, j
		out = append(out, e)
	}
	out, _ = alone(out, b, taken, next, len(b))
	return out
}

// alone adds b's elements up to an index that have no partner.
func alone(out []Edit, b []any, taken []bool, next, to int) ([]Edit, int) {
	for ; next < to; next++ {
		if !taken[next] {
			out = append(out, Edit{B: b[next], InB: true, IndexA: -1, IndexB: next})
		}
	}
	return out, next
}
