package builtin

import (
	"cmp"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/values"
)

// Keyed is an element of an array, with its sort key. For sort_by(f), the key is the
// result of f, or a [Several] if f doesn't yield exactly one result.
type Keyed struct {
	V, Key any
}

// Several contains the results of f in sort_by(f) for one element, if there isn't exactly
// one.
type Several []any

// All returns all results of f for this element.
func (k *Keyed) All() []any {
	if ks, ok := k.Key.(Several); ok {
		return ks
	}
	return []any{k.Key}
}

func compareKeys(m *values.Task, a, b *Keyed) (int, error) {
	if x, ok := a.Key.(string); ok { // strings are the most common keys, so they are compared without a call
		if y, ok := b.Key.(string); ok {
			return cmp.Compare(x, y), nil
		}
	}
	_, ok1 := a.Key.(Several)
	_, ok2 := b.Key.(Several)
	if ok1 || ok2 {
		return values.CompareArrays(m, a.All(), b.All())
	}
	return values.Compare(m, a.Key, b.Key)
}

// Ordering implements a builtin such as sort_by. It receives the elements of the array
// together with their sort keys.
type Ordering func(m *values.Task, items []Keyed) (any, error)

// ordered returns a builtin such as sort or group, in which each element is its own sort
// key. do implements the builtin.
func ordered(name string, do Ordering) values.Func {
	return forced(func(m *values.Task, v any, _ []any) (any, error) {
		xs, ok := v.([]any)
		if !ok {
			return nil, Unordered(name, v)
		}
		if err := m.Alloc(2 * values.ItemSize * len(xs)); err != nil {
			return nil, err
		}
		items := make([]Keyed, len(xs))
		for i, x := range xs {
			items[i] = Keyed{x, x}
		}
		return do(m, items)
	})
}

// Unordered returns the error that the builtin called name raises for an input that isn't
// an array. keys contains the sort keys of its members, if there are any.
func Unordered(name string, v any, keys ...any) error {
	switch {
	case strings.HasPrefix(name, "m"): // one of min, max, min_by and max_by
		return values.CannotBoth(v, append(keys, v)[0], "cannot be iterated over")
	case len(keys) > 0:
		return values.CannotBoth(v, keys[0], "cannot be sorted, as they are not both arrays")
	}
	return values.Cannot(v, "cannot be sorted, as it is not an array")
}

// sortItems sorts elements by their keys. Elements with equal keys keep their order.
func sortItems(m *values.Task, items []Keyed) error {
	if len(items) < 2 {
		return nil
	}
	for i := range items { // keys are loaded in the order of the array, so that load errors have a fixed order
		k, err := m.Force(items[i].Key)
		if err != nil {
			return err
		}
		items[i].Key = k
	}
	if err := m.Alloc(4 * values.ItemSize * len(items)); err != nil { // the sort needs memory in addition to the items
		return err
	}
	if sortBy[int](items) || sortBy[float64](items) || sortBy[string](items) {
		return nil
	}
	order := make([]int32, len(items))
	for i := range order {
		order[i] = int32(i)
	}
	var failed error
	mergeSort(order, func(a, b *int32) bool {
		if failed != nil {
			return false
		}
		c, err := compareKeys(m, &items[*a], &items[*b])
		if failed = err; err == nil {
			failed = m.Tick()
		}
		return c > 0
	})
	if failed == nil {
		reorder(items, func(i int) int32 { return order[i] })
	}
	return failed
}

// sortBy sorts elements by their keys if all keys have the type K, and reports whether it
// did so. Comparing keys of one type needs no type switch, which would take most of the
// time of a sort.
func sortBy[K cmp.Ordered](items []Keyed) bool {
	type ranked struct {
		key  K
		from int32
	}
	ranks := make([]ranked, len(items))
	for i := range items {
		k, ok := items[i].Key.(K)
		if !ok || k != k { // in jq, NaN is less than itself, which only native.Compare implements
			return false
		}
		ranks[i] = ranked{k, int32(i)}
	}
	mergeSort(ranks, func(a, b *ranked) bool { return a.key > b.key })
	reorder(items, func(i int) int32 { return ranks[i].from })
	return true
}

// reorder moves the element at index from(i) to index i, for each i.
func reorder(items []Keyed, from func(i int) int32) {
	before := slices.Clone(items)
	for i := range items {
		items[i] = before[from(i)]
	}
}

// mergeSort sorts xs. after(a, b) reports whether a must come after b. Equal elements
// keep their order. The standard library's stable sort needs no additional memory, but
// takes five times as long: 72 ms instead of 14 ms for 200,000 numbers.
func mergeSort[T any](xs []T, after func(a, b *T) bool) {
	mergeSortIn(xs, make([]T, (len(xs)+1)/2), after)
}

// mergeSortIn does the same as mergeSort. half is a buffer for half of the elements.
func mergeSortIn[T any](xs, half []T, after func(a, b *T) bool) {
	if len(xs) <= 12 {
		for i := 1; i < len(xs); i++ {
			for j := i; j > 0 && after(&xs[j-1], &xs[j]); j-- {
				xs[j-1], xs[j] = xs[j], xs[j-1]
			}
		}
		return
	}
	mid := len(xs) / 2
	mergeSortIn(xs[:mid], half, after)
	mergeSortIn(xs[mid:], half, after)
	if !after(&xs[mid-1], &xs[mid]) {
		return
	}
	left := half[:copy(half, xs[:mid])]
	out, right := 0, mid
	for len(left) > 0 && right < len(xs) {
		if after(&left[0], &xs[right]) {
			xs[out] = xs[right]
			right++
		} else {
			xs[out] = left[0]
			left = left[1:]
		}
		out++
	}
	copy(xs[out:], left)
}

func sorted(m *values.Task, items []Keyed) (any, error) {
	if err := sortItems(m, items); err != nil {
		return nil, err
	}
	out := make([]any, len(items))
	for i := range items {
		out[i] = items[i].V
	}
	return out, nil
}

// runs sorts elements and calls a function for every one. The function's argument first
// is true if the element's key differs from the previous element's key.
func runs(m *values.Task, items []Keyed, each func(first bool, v any)) error {
	if err := sortItems(m, items); err != nil {
		return err
	}
	for i := range items {
		first := i == 0
		if !first {
			c, err := compareKeys(m, &items[i-1], &items[i])
			if err != nil {
				return err
			}
			first = c != 0
		}
		each(first, items[i].V)
	}
	return nil
}

func grouped(m *values.Task, items []Keyed) (any, error) {
	out := []any{}
	var group []any
	err := runs(m, items, func(first bool, v any) {
		if first && group != nil {
			out = append(out, group)
			group = nil
		}
		group = append(group, v)
	})
	if group != nil {
		out = append(out, group)
	}
	return out, err
}

func distinct(m *values.Task, items []Keyed) (any, error) {
	out := []any{}
	err := runs(m, items, func(first bool, v any) {
		if first {
			out = append(out, v)
		}
	})
	return out, err
}

// smallest returns the first of the smallest elements, or null if there are no elements.
func smallest(m *values.Task, items []Keyed) (any, error) {
	return best(m, items, func(c int) bool { return c > 0 })
}

// largest returns the last of the largest elements, or null if there are no elements.
func largest(m *values.Task, items []Keyed) (any, error) {
	return best(m, items, func(c int) bool { return c <= 0 })
}

// best returns the best element, as min_by and max_by need it. better receives the result
// of comparing the best element so far with the next one, and reports whether the next
// one is better.
func best(m *values.Task, items []Keyed, better func(int) bool) (any, error) {
	if len(items) == 0 {
		return nil, nil
	}
	b := 0
	for i := 1; i < len(items); i++ {
		if err := m.Tick(); err != nil {
			return nil, err
		}
		c, err := compareKeys(m, &items[b], &items[i])
		if err != nil {
			return nil, err
		}
		if better(c) {
			b = i
		}
	}
	return items[b].V, nil
}

// orderBuiltins returns the builtins that sort an array, group its elements, or find its
// smallest or largest element.
func orderBuiltins() map[string]values.Func {
	table := map[string]values.Func{}
	for name, do := range map[string]Ordering{"sort": sorted, "unique": distinct, "min": smallest, "max": largest} {
		table[syntax.Key(name, 0)] = ordered(name, do)
	}
	return table
}

// Orderings returns the functions that implement sort_by and similar builtins, by the
// name of the builtin.
func Orderings() map[string]Ordering {
	return map[string]Ordering{"sort_by": sorted, "group_by": grouped, "unique_by": distinct, "min_by": smallest, "max_by": largest}
}
