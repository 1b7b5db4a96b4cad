package decode

import (
	"hash/maphash"
	"math/bits"
	"sync"
	"sync/atomic"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// Twins finds what several documents say alike, so that it is in memory once:
// strings, and objects and arrays that are built whole. Proxies of one mesh
// hold mostly the same. Any number of goroutines may use it at once.
//
// It is exact: what it gives for a value is equal to it, and nothing inside is
// still bytes of a document. That two equal containers are one and the same is
// no promise: what is not found is built. So nobody may conclude from two
// containers being the same that they come from one place; that they are equal
// always holds.
//
// What is in it stays until it is dropped as a whole. It costs those who use it
// nothing: who made it is told what it holds, and counts it once.
type Twins struct {
	mark   *byte // tells the table from others when it is gone
	most   int64
	grew   func(bytes int64)
	cost   atomic.Int64 // of what is in it
	untold atomic.Int64 // of that, what grew was not told
	shards [twinShards]twinShard
}

// A twinShard is the part of a table that one lock guards.
type twinShard struct {
	mu     sync.Mutex
	values map[uint64]any   // by their sums; string, *object.Object or []any
	said   map[uint64]*said // by the sums of their bytes
}

const twinShards = 64

// NewTwins gives an empty table that takes up to about most bytes. grew is told
// the bytes that it holds as they become more, from within passes and touched
// values but under no lock of theirs.
func NewTwins(most int64, grew func(bytes int64)) *Twins {
	t := &Twins{mark: new(byte), most: most, grew: grew}
	for i := range t.shards {
		t.shards[i].values = map[uint64]any{}
	}
	return t
}

// Full tells that the table takes nothing more. What is in it is still found.
func (t *Twins) Full() bool { return t.cost.Load() >= t.most }

// tell tells what came in since it was told last.
func (t *Twins) tell() {
	if n := t.untold.Swap(0); n > 0 {
		t.grew(n)
	}
}

// find gives what there is under a sum.
func (t *Twins) find(sum uint64) any {
	s := &t.shards[sum%twinShards]
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.values[sum]
}

// add puts a value in, or gives the one that is there already and alike. Not
// ok: another value has its place, or the table is full, and v is nobody's
// twin.
func (t *Twins) add(sum uint64, v any, cost int64) (twin any, ok bool) {
	s := &t.shards[sum%twinShards]
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.values[sum]; old != nil {
		return old, alike(old, v)
	}
	if t.Full() {
		return v, false
	}
	s.values[sum] = v
	cost += costTwin
	t.cost.Add(cost)
	t.untold.Add(cost)
	return v, true
}

// text gives the boxed string of b.
func (t *Twins) text(sum uint64, b []byte) (v any, ok bool) {
	if s, found := t.find(sum).(string); found && s == string(b) {
		return s, true
	}
	s := string(b)
	if v, ok = t.add(sum, s, textCost(len(s))); ok {
		return v, true
	}
	return s, false
}

// object gives the object that has these members in this order and no others,
// nil for none. No name may be there twice.
func (t *Twins) object(sum uint64, names []string, vals []any) *object.Object {
	m, _ := t.find(sum).(*object.Object)
	if m.Len() != len(names) {
		return nil
	}
	for i, name := range names {
		if k, v := m.At(i); k != name || !oneAndTheSame(v, vals[i]) {
			return nil
		}
	}
	return m
}

// array gives the array of these elements, nil for none.
func (t *Twins) array(sum uint64, vals []any) []any {
	a, _ := t.find(sum).([]any)
	if !alike(a, vals) {
		return nil
	}
	return a
}

// alike compares two values of which what lies inside has been in the table:
// there it is equal when it is the same.
func alike(a, b any) bool {
	switch x := a.(type) {
	case *object.Object:
		y, ok := b.(*object.Object)
		if !ok || x.Len() != y.Len() {
			return false
		}
		for i := range x.Len() {
			k, v := x.At(i)
			if l, w := y.At(i); k != l || !oneAndTheSame(v, w) {
				return false
			}
		}
		return true
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for i := range x {
			if !oneAndTheSame(x[i], y[i]) {
				return false
			}
		}
		return true
	}
	return oneAndTheSame(a, b)
}

// oneAndTheSame: equal scalars, or one container.
func oneAndTheSame(a, b any) bool {
	switch a.(type) {
	case *object.Object, []any:
		return mesh.Identical(a, b)
	}
	switch b.(type) {
	case *object.Object, []any:
		return false
	}
	return a == b
}

// A sum stands for what a value says: equal values have equal sums. 0 is that
// of a value which is in no table: something inside is a [Value], or wasn't
// taken. Sums are good within the process only.

// seed is one for all, since a sum must be the same from every decoder.
var seed = maphash.MakeSeed()

// What kinds of values begin their sums with.
const (
	sumNull = 1 + iota
	sumFalse
	sumTrue
	sumInt
	sumNumber
	sumObject
	sumArray
	sumNoObject
	sumNoArray
)

// mix gives a sum of two, never 0.
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^0x9e3779b97f4a7c15, b^0xd6e8feb86659fd93)
	return max(hi^lo, 1)
}

// textSum is that of a string.
func textSum(b []byte) uint64 { return max(maphash.Bytes(seed, b), 1) }

// A tally makes the sum of a container while its members come.
type tally struct {
	sum   uint64
	own   bool   // something in it is in no table
	names uint64 // a bit for each name seen
	twice bool   // a name may have been there twice
	any   bool   // the members come in any order
}

// member takes the next member of an object.
func (t *tally) member(name string, sum uint64) {
	h := maphash.String(seed, name)
	bit := uint64(1) << (h >> 58)
	t.twice = t.twice || t.names&bit != 0
	t.names |= bit
	t.own = t.own || sum == 0
	if sum = mix(h, sum); t.any {
		t.sum += sum
	} else {
		t.sum = mix(t.sum, sum)
	}
}

// element takes the next element of an array.
func (t *tally) element(sum uint64) {
	t.own = t.own || sum == 0
	t.sum = mix(t.sum, sum)
}
