package builtin

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestMergeSortEqualsStableSort sorts elements with many equal keys. The lengths are
// those around the sizes at which mergeSort merges. The result must equal that of the
// standard library's stable sort.
func TestMergeSortEqualsStableSort(t *testing.T) {
	type pair struct{ key, at int }
	random := rand.New(rand.NewPCG(1, 2))
	for n := range 300 {
		for _, keys := range []int{1, 3, n + 1, 1000} {
			xs := make([]pair, n)
			for i := range xs {
				xs[i] = pair{random.IntN(keys), i}
			}
			want := slices.Clone(xs)
			slices.SortStableFunc(want, func(a, b pair) int { return a.key - b.key })
			mergeSort(xs, func(a, b *pair) bool { return a.key > b.key })
			if !slices.Equal(xs, want) {
				t.Fatalf("%d pairs with %d keys: %v, expected %v", n, keys, xs, want)
			}
		}
	}
}
