package decode

import (
	"hash/maphash"
	"math/bits"
	"sync"
	"sync/atomic"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// Twins is a table of decoded values that several documents share, so that equal
// values are in memory only once: strings, and objects and arrays without lazy parts.
// The proxies of one mesh have mostly equal content. Any number of goroutines may use
// the table at once.
//
// A value from the table always equals the value that the document contains, and is
// decoded completely. The reverse isn't guaranteed: two equal containers may be
// separate values, because a container that isn't found in the table is created
// again. A caller may conclude that two identical containers are equal, but
// not that they come from the same part of a document.
//
// Values stay in memory until the whole table is dropped. Their memory isn't counted
// for the documents that use them: it is reported once, to the function passed to
// NewTwins.
type Twins struct {
	mark       *byte // identifies the table even after it has been freed
	most       int64
	grew       func(bytes int64)
	cost       atomic.Int64 // number of bytes of all values in the table
	unreported atomic.Int64 // the part of cost that hasn't been reported to grew
	shards     [twinShards]twinShard
}

// A twinShard is the part of a table that one lock guards.
type twinShard struct {
	mu     sync.Mutex
	values map[uint64]any          // the values by their hash; each is a string, *object.Object or []any
	cached map[uint64]*cachedValue // completely decoded values, by the hash of their bytes
}

const twinShards = 64

// NewTwins returns an empty table that uses at most about most bytes. grew is
// called with the number of bytes by which the table has grown. It is called
// during passes and while values are decoded, but no lock is held during the call.
func NewTwins(most int64, grew func(bytes int64)) *Twins {
	t := &Twins{mark: new(byte), most: most, grew: grew}
	for i := range t.shards {
		t.shards[i].values = map[uint64]any{}
	}
	return t
}

// Full reports whether the table accepts no more values. Values in it are still
// found.
func (t *Twins) Full() bool { return t.cost.Load() >= t.most }

// report passes the growth since the last report to grew.
func (t *Twins) report() {
	if n := t.unreported.Swap(0); n > 0 {
		t.grew(n)
	}
}

// find returns the value whose hash is sum, or nil if there is none.
func (t *Twins) find(sum uint64) any {
	s := &t.shards[sum%twinShards]
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.values[sum]
}

// add adds a value to the table, or returns an equal value that is already in it. If
// ok is false, v can't be shared: another value has the same hash, or the table is
// full.
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
	t.unreported.Add(cost)
	return v, true
}

// text returns the string with the bytes b as an interface value. It takes the
// string from the table, or adds it. ok is false if the string isn't shared.
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

// object returns the object in the table that has exactly these members in this
// order, or nil if there is none. The names must be distinct.
func (t *Twins) object(sum uint64, names []string, vals []any) *object.Object {
	m, _ := t.find(sum).(*object.Object)
	if m.Len() != len(names) {
		return nil
	}
	for i, name := range names {
		if k, v := m.At(i); k != name || !identical(v, vals[i]) {
			return nil
		}
	}
	return m
}

// array returns the array in the table that has exactly these elements, or nil if
// there is none.
func (t *Twins) array(sum uint64, vals []any) []any {
	a, _ := t.find(sum).([]any)
	if !alike(a, vals) {
		return nil
	}
	return a
}

// alike reports whether two values are equal. Their members and elements are
// already in the table, where equal values are identical, so these are compared
// by identity.
func alike(a, b any) bool {
	switch x := a.(type) {
	case *object.Object:
		y, ok := b.(*object.Object)
		if !ok || x.Len() != y.Len() {
			return false
		}
		for i := range x.Len() {
			k, v := x.At(i)
			if l, w := y.At(i); k != l || !identical(v, w) {
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
			if !identical(x[i], y[i]) {
				return false
			}
		}
		return true
	}
	return identical(a, b)
}

// identical reports whether a and b are equal scalars or the same container.
func identical(a, b any) bool {
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

// The sum of a value is its hash: equal values have equal sums. Sums are valid only
// within the process. A value that can't be shared has the sum 0. Such a value
// contains a [Value], or a part that was not added to the table because the table was
// full or had another value with the same sum.

// seed is the same for all decoders, so that they all compute the same sums.
var seed = maphash.MakeSeed()

// These constants are the initial sums of the different kinds of values.
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

// mix combines two sums into one, which is never 0.
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^0x9e3779b97f4a7c15, b^0xd6e8feb86659fd93)
	return max(hi^lo, 1)
}

// textSum returns the sum of a string.
func textSum(b []byte) uint64 { return max(maphash.Bytes(seed, b), 1) }

// A tally computes the sum of a container while its members are read.
type tally struct {
	sum       uint64
	unshared  bool   // true if a part of the container isn't shared
	names     uint64 // a set of the hashes of the names so far, as a bitmap
	mayRepeat bool   // true if a name may have occurred twice in the object
	unordered bool   // true if the order of the members has no meaning, as in a map
}

// member adds an object's next member to the object's hash.
func (t *tally) member(name string, sum uint64) {
	h := maphash.String(seed, name)
	bit := uint64(1) << (h >> 58)
	t.mayRepeat = t.mayRepeat || t.names&bit != 0
	t.names |= bit
	t.unshared = t.unshared || sum == 0
	if sum = mix(h, sum); t.unordered {
		t.sum += sum
	} else {
		t.sum = mix(t.sum, sum)
	}
}

// element adds an array's next element to the array's hash.
func (t *tally) element(sum uint64) {
	t.unshared = t.unshared || sum == 0
	t.sum = mix(t.sum, sum)
}
