package diff

import (
	"slices"
	"sort"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// partners pairs the elements of two lists whose order has no meaning. For each element
// of a it returns the index of its partner in b, or -1 if there is none. The partner is
// an equal element or, if there is none, an element with the same key, which has changed.
func partners(a, b []any, p location, rule listRule) []int {
	m := newMatching(len(a), len(b))
	if !rule.kept {
		prints := func(list []any) func(int) uint64 {
			return func(i int) uint64 { return fingerprint(list[i], p) }
		}
		pairUp(m, prints(a), prints(b), func(i, j int) bool { return equal(a[i], b[j], p) })
	}
	for _, key := range rule.keys {
		keys := func(list []any) func(int) string { return func(i int) string { return key.of(list[i]) } }
		pairUp(m, keys(a), keys(b), func(int, int) bool { return true })
	}
	if rule.keys == nil { // the remaining objects have no key, so they are paired in their order
		object := func(list []any) func(int) bool {
			return func(i int) bool { _, ok := list[i].(*object.Object); return ok }
		}
		pairUp(m, object(a), object(b), func(i, _ int) bool { return object(a)(i) })
	}
	return m.partner
}

// matching records which elements of two lists are paired.
type matching struct {
	partner []int  // for each element of a: index of its partner in b; -1 if it has none yet
	taken   []bool // for each element of b: whether it already has a partner
}

func newMatching(a, b int) *matching {
	m := &matching{make([]int, a), make([]bool, b)}
	for i := range m.partner {
		m.partner[i] = -1
	}
	return m
}

// pairUp pairs the remaining elements that have the same key and for which the function
// fit returns true. Each element is paired with the first possible partner.
func pairUp[K comparable](m *matching, a, b func(int) K, fit func(i, j int) bool) {
	with := map[K][]int{}
	for j, taken := range m.taken {
		if !taken {
			with[b(j)] = append(with[b(j)], j)
		}
	}
	for i, partner := range m.partner {
		if partner >= 0 {
			continue
		}
		k := a(i)
		for n, j := range with[k] {
			if fit(i, j) {
				m.partner[i], m.taken[j] = j, true
				with[k] = slices.Delete(with[k], n, n+1)
				break
			}
		}
	}
}

// inOrder does the same as partners, for lists whose order has a meaning, so pairs must
// not cross. First, it pairs equal elements that occur once in each list. Between two
// such pairs, it pairs elements with the same name.
func inOrder(a, b []any, p location) []int {
	o := &ordering{a: a, b: b, m: newMatching(len(a), len(b))}
	o.same = func(i, j int) bool { return equal(a[i], b[j], p) }
	o.fingerprint(p)
	o.between(0, len(a), 0, len(b), []func(lo, hi, from, to int){o.unchanged, o.named})
	return o.m.partner
}

type ordering struct {
	a, b           []any
	m              *matching
	same           func(i, j int) bool
	printA, printB []uint64
}

func (o *ordering) fingerprint(p location) {
	o.printA, o.printB = make([]uint64, len(o.a)), make([]uint64, len(o.b))
	for i, v := range o.a {
		o.printA[i] = fingerprint(v, p)
	}
	for j, v := range o.b {
		o.printB[j] = fingerprint(v, p)
	}
}

// between pairs the elements of a[lo:hi] with those of b[from:to]. It runs the first of
// the steps on these ranges. The remaining steps are run on each gap between the pairs
// that the first step has found.
func (o *ordering) between(lo, hi, from, to int, steps []func(lo, hi, from, to int)) {
	for lo < hi && from < to && o.m.partner[lo] < 0 && o.same(lo, from) {
		o.pair(lo, from)
		lo, from = lo+1, from+1
	}
	for lo < hi && from < to && o.m.partner[hi-1] < 0 && o.same(hi-1, to-1) {
		hi, to = hi-1, to-1
		o.pair(hi, to)
	}
	if lo == hi || from == to {
		return
	}
	if len(steps) == 0 {
		o.sideBySide(lo, hi, from, to)
		return
	}
	steps[0](lo, hi, from, to)
	start, with := lo, from
	for i := lo; i < hi; i++ {
		if j := o.m.partner[i]; j >= 0 {
			o.between(start, i, with, j, steps[1:])
			start, with = i+1, j+1
		}
	}
	o.between(start, hi, with, to, steps[1:])
}

func (o *ordering) pair(i, j int) { o.m.partner[i], o.m.taken[j] = j, true }

func (o *ordering) unchanged(lo, hi, from, to int) {
	for _, c := range uniquePairs(lo, hi, from, to, func(i int) uint64 { return o.printA[i] }, func(j int) uint64 { return o.printB[j] }) {
		if o.same(c[0], c[1]) {
			o.pair(c[0], c[1])
		}
	}
}

func (o *ordering) named(lo, hi, from, to int) {
	for _, c := range uniquePairs(lo, hi, from, to, func(i int) string { return identity(o.a[i]) }, func(j int) string { return identity(o.b[j]) }) {
		if identity(o.a[c[0]]) != "" {
			o.pair(c[0], c[1])
		}
	}
}

// sideBySide pairs the elements that no other step has paired, in their order. So two
// strings in the same gap, for example, are shown as one string that has changed.
func (o *ordering) sideBySide(lo, hi, from, to int) {
	for lo < hi && from < to {
		if mayBeSame(o.a[lo], o.b[from]) {
			o.pair(lo, from)
			lo, from = lo+1, from+1
			continue
		}
		if hi-lo >= to-from {
			lo++
		}
		if hi-lo < to-from {
			from++
		}
	}
}

// mayBeSame reports whether b may be a changed version of a.
func mayBeSame(a, b any) bool {
	_, objectA := a.(*object.Object)
	_, objectB := b.(*object.Object)
	_, listA := a.([]any)
	_, listB := b.([]any)
	return objectA == objectB && listA == listB && identity(a) == identity(b)
}

// uniquePairs pairs elements whose key occurs exactly once in each range. It returns the
// largest number of pairs that don't cross one another.
func uniquePairs[K comparable](lo, hi, from, to int, a, b func(int) K) [][2]int {
	inB, count := map[K]int{}, map[K]int{}
	for j := from; j < to; j++ {
		k := b(j)
		inB[k] = j
		count[k]++
	}
	inA := map[K]int{}
	for i := lo; i < hi; i++ {
		inA[a(i)]++
	}
	var all [][2]int
	for i := lo; i < hi; i++ {
		if k := a(i); inA[k] == 1 && count[k] == 1 {
			all = append(all, [2]int{i, inB[k]})
		}
	}
	return longestRising(all)
}

// longestRising returns the longest subsequence of pairs whose second indexes increase.
func longestRising(all [][2]int) [][2]int {
	// for each length: last pair of the best subsequence of this length, whose last
	// second index is lowest
	var ends []int
	before := make([]int, len(all))
	for i, c := range all {
		n := sort.Search(len(ends), func(n int) bool { return all[ends[n]][1] >= c[1] })
		before[i] = -1
		if n > 0 {
			before[i] = ends[n-1]
		}
		if n == len(ends) {
			ends = append(ends, i)
		} else {
			ends[n] = i
		}
	}
	if len(ends) == 0 {
		return nil
	}
	out := make([][2]int, len(ends))
	for n, i := len(ends)-1, ends[len(ends)-1]; n >= 0; n, i = n-1, before[i] {
		out[n] = all[i]
	}
	return out
}
