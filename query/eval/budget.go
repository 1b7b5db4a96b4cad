package eval

import (
	"fmt"
	"runtime"
	"runtime/metrics"
	"sync"
	"sync/atomic"
)

// entrySize is about what a member of an object takes, key and value.
const entrySize = 48

// What is allocated is added up, and now and then, or before something large,
// the heap is looked at: so only what lives counts, not what was made and
// dropped on the way.
const (
	sumUp    = 64 << 10 // a goroutine keeps its own sum up to this
	lookEach = 4 << 20  // bytes between two looks
	large    = 1 << 20  // is looked at beforehand
)

// budget is the memory that a run may hold.
type budget struct {
	max    int64
	held   func() int64 // what lives in the heap and is not the query's
	base   int64        // what lived before the run began
	since  atomic.Int64 // allocated since the last look
	total  atomic.Int64 // allocated by the query in all: it can't hold more
	settle sync.Mutex   // one collects
	after  int64        // in use when spare had collected last; guarded by settle
}

func newBudget(limit int64, held func() int64) *budget {
	if limit <= 0 {
		limit = 1 << 30
	}
	if held == nil {
		held = func() int64 { return 0 }
	}
	return &budget{max: limit, held: held, base: readHeap("/gc/heap/live:bytes") - held()}
}

// alloc accounts n bytes that are about to be allocated.
func (m *mach) alloc(n int) error {
	if m.owed += n; m.owed < sumUp && m.owed >= 0 {
		return nil
	}
	m.owed = 0
	if err := m.ctx.Err(); err != nil {
		return err
	}
	return m.run.budget.take(int64(n))
}

// take accounts n bytes and what a goroutine may have summed up beside.
func (b *budget) take(n int64) error {
	if n < 0 || n > b.max {
		return b.exceeded()
	}
	n = max(n, sumUp)
	total := b.total.Add(n)
	if b.since.Add(n) < lookEach && n < large {
		return nil
	}
	b.since.Store(0)
	if total <= b.max {
		return nil
	}
	return b.look(n)
}

// look compares the heap with the limit. What is over it may be garbage: it
// is collected first.
func (b *budget) look(n int64) error {
	if b.inUse()+n <= b.max {
		return nil
	}
	b.settle.Lock()
	defer b.settle.Unlock()
	if b.inUse()+n <= b.max {
		return nil
	}
	runtime.GC()
	if b.inUse()+n > b.max-b.max/8 { // so that the next collection is not near
		return b.exceeded()
	}
	return nil
}

// spare tells whether the query holds so little, an eighth of what it may, that
// what is ahead of its consumer may become more. Garbage is collected when there
// is so much that it decides.
func (b *budget) spare() bool {
	most := b.max / 8
	if b.inUse() <= most {
		return true
	}
	b.settle.Lock()
	defer b.settle.Unlock()
	n := b.inUse()
	if n > most && n >= b.after+most/2 {
		runtime.GC()
		n = b.inUse()
		b.after = n
	}
	return n <= most
}

// inUse is what the run has in memory, garbage with it.
func (b *budget) inUse() int64 {
	return readHeap("/memory/classes/heap/objects:bytes", "/memory/classes/heap/stacks:bytes") - max(b.base, 0) - b.held()
}

func (b *budget) exceeded() error {
	allowed := fmt.Sprintf("%d MiB", b.max>>20)
	if b.max < 1<<20 {
		allowed = fmt.Sprintf("%d KiB", b.max>>10)
	}
	return &LimitError{"the query needs more memory than allowed (" + allowed + ")"}
}

func readHeap(names ...string) int64 {
	s := make([]metrics.Sample, len(names))
	for i, n := range names {
		s[i].Name = n
	}
	metrics.Read(s)
	sum := int64(0)
	for _, x := range s {
		if x.Value.Kind() == metrics.KindUint64 {
			sum += int64(x.Value.Uint64())
		}
	}
	return sum
}
