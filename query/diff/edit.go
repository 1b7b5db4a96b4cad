package diff

import (
	"slices"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// An Edit is the result of comparing the two values a and b at one path. Edits form a
// tree: Inside contains one edit for each member or element of either value, in display
// order, including equal ones. Values that are not compared are omitted.
type Edit struct {
	A, B     any // the two values; all their parts are loaded, unless Same is set
	InA, InB bool
	Same     bool // whether both sides are present and equal
	Inside   []Edit

	KeyA, KeyB     string // names of the member in the enclosing objects
	IndexA, IndexB int    // indexes of the element in the enclosing lists
	List           bool   // whether Inside contains the elements of a list, not the members of an object

	Resource *Resource // set if this edit covers one element of a section, such as a cluster
	// Hidden is set for an element that is only in a and isn't compared. The edit exists
	// because the element counts in the indexes of a.
	Hidden bool

	lines int // number of lines of an equal resource, as it is printed
}

// build returns the edit for two values that differ.
func build(a, b any, p location) Edit {
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

func buildMembers(a, b *object.Object, p location) []Edit {
	p, kind := p.inside(a, b), kindOf(a, b)
	var out []Edit
	for _, key := range a.Sorted() {
		if kind.excludes(key) {
			continue
		}
		other := p.spelled(key, b)
		v, w := a.Get(key), b.Get(other)
		e := Edit{A: v, B: w, InA: true, InB: has(b, other)}
		e.Same = equalMembers(kind.effective(key, v), kind.effective(key, w), true, e.InB, p.member(key))
		if !e.Same && e.InB {
			e = build(v, w, p.member(key))
		}
		e.KeyA, e.KeyB = key, other
		out = append(out, e)
	}
	for _, key := range b.Sorted() {
		other := p.spelled(key, a)
		if kind.excludes(key) || has(a, other) || equalMembers(nil, kind.effective(key, b.Get(key)), false, true, p.member(key)) {
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

func buildElements(a, b []any, p location) []Edit {
	if rule := p.listRule(); rule.free {
		return merge(a, b, partners(a, b, p, rule), p)
	}
	return merge(a, b, inOrder(a, b, p), p)
}

// merge returns the edits for the elements of two lists. The elements of a keep their
// order. An element of b without a partner follows the element that precedes it in b.
func merge(a, b []any, partner []int, p location) []Edit {
	taken := make([]bool, len(b))
	for _, j := range partner {
		if j >= 0 {
			taken[j] = true
		}
	}
	var out []Edit
	next := 0 // first index of b that may have no partner and isn't in the result yet
	for i, j := range partner {
		if j < 0 {
			out = append(out, Edit{A: a[i], InA: true, IndexA: i, IndexB: -1})
			continue
		}
		out, next = appendUnpaired(out, b, taken, next, j)
		e := Edit{A: a[i], B: b[j], InA: true, InB: true, Same: equal(a[i], b[j], p)}
		if !e.Same {
			e = build(a[i], b[j], p)
		}
		e.IndexA, e.IndexB = i, j
		out = append(out, e)
	}
	out, _ = appendUnpaired(out, b, taken, next, len(b))
	return out
}

// appendUnpaired appends an edit for each element of b[next:to] that has no partner in a.
// It returns the extended list, and the new value of next, which is to.
func appendUnpaired(out []Edit, b []any, taken []bool, next, to int) ([]Edit, int) {
	for ; next < to; next++ {
		if !taken[next] {
			out = append(out, Edit{B: b[next], InB: true, IndexA: -1, IndexB: next})
		}
	}
	return out, next
}
