package values

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/metrics"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/meshq/kubectl-meshq/query/syntax/native"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// Task is what one goroutine of a run needs to work on values: its context, its
// share of the memory account, the depth of its calls, and the mark of the
// values that it may still change in place.
type Task struct {
	Ctx context.Context

	// Host is told of loads. It may be nil.
	Host Host

	// Loading is true while a value that was not read yet is being loaded for
	// this goroutine. It is nil where nobody needs to know.
	Loading *atomic.Bool

	// MaxSteps ends the work with [Stop] after so many steps; 0: never.
	MaxSteps int

	shared  *Shared
	steps   int
	depth   Depth
	nesting int             // of the containers that are being compared or merged: see nest
	owed    int             // bytes allocated that the budget does not know of yet
	token   *object.Token   // marks what may be updated in place; nil: nothing so far
	text    strings.Builder // the last long text that was appended to: see joined
}

// Host is the goroutine's place among the others of its run.
type Host interface {
	// LoadEnded is called after a load, if Loading is true.
	LoadEnded()

	// LoadFailed is called with the error of a load.
	LoadFailed(err error)

	// LoadEach calls load for each element, for several at once, and use with
	// the results, in order.
	LoadEach(elements []any, load func(*Task, any) (any, error), use func(any)) error
}

// Shared is what all tasks of a run share.
type Shared struct {
	Budget *Budget
	funcs  *native.Funcs
	lists  atomic.Bool // some array is a list
}

// NewTask returns the first task of a run that may hold limit bytes; 0 means
// 1 GiB. Held returns how many bytes of the heap are not the run's; nil for none.
// Funcs keeps what is compiled of gojq's functions, from run to run.
func NewTask(ctx context.Context, funcs *native.Funcs, limit int64, held func() int64) Task {
	return Task{Ctx: ctx, shared: &Shared{funcs: funcs, Budget: newBudget(limit, held)}}
}

// Fork returns a task of the same run for another goroutine. It may change no
// value in place that exists by now.
func (m *Task) Fork(ctx context.Context) Task {
	return Task{Ctx: ctx, shared: m.shared, depth: m.depth}
}

// Spare reports whether the run holds so little memory that more may be kept
// for later: see [Budget].
func (m *Task) Spare() bool { return m.shared.Budget.spare() }

// MaxMemory returns how many bytes the run may hold.
func (m *Task) MaxMemory() int64 { return m.shared.Budget.max }

// mine returns the mark of the values that this task may update in place, as
// long as no other goroutine has seen them.
func (m *Task) mine() *object.Token {
	if m.token == nil {
		m.token = new(object.Token)
	}
	return m.token
}

// Freeze is called when another goroutine is about to see values: none of those
// that exist by now is updated in place any more.
func (m *Task) Freeze() { m.token = nil }

// Tick is called in every loop and call: it notices the end of the context.
func (m *Task) Tick() error {
	if m.steps++; m.steps&255 != 0 {
		return nil
	}
	if m.MaxSteps > 0 && m.steps > m.MaxSteps {
		return ErrStop
	}
	return m.Ctx.Err()
}

// maxStack is how many bytes of stack calls may take in one goroutine. A Go
// stack can't grow beyond 512 MB, and overflowing it can't be recovered.
const maxStack = 400 << 20

// What a call is taken to need where that can't be measured: so many bytes for
// each node of its function, and for so many nodes itself.
const (
	nodeSize   = 200
	CallWeight = 4
)

// mostFrames is more than what a call takes.
const mostFrames = 1 << 20

var ErrDepth = errors.New("recursion is too deep")

// A Depth is where the stack was before a call.
type Depth struct {
	used int     // bytes, of all calls
	top  uintptr // the address that the stack had grown to
}

// Enter is called where calls nest; leave, with its result, undoes it. The
// stack that was taken since the call around this one is measured by the
// addresses of two variables on it. If the stack was moved in between, the
// difference means nothing, and is estimated from the weight, in nodes.
func (m *Task) Enter(weight int) (Depth, error) {
	var here byte
	was, top := m.depth, uintptr(unsafe.Pointer(&here))
	taken := int(was.top - top) // stacks grow downwards
	if taken <= 0 || taken > mostFrames {
		taken = weight * nodeSize
	}
	m.depth = Depth{was.used + taken, top}
	if m.depth.used > maxStack {
		m.depth = was
		return was, ErrDepth
	}
	return was, m.Tick()
}

// Leave undoes Enter, whose result it is given.
func (m *Task) Leave(was Depth) { m.depth = was }

// Force returns v, or what a lazy v stands for, one level deep. Values are read
// through force and deep only.
func (m *Task) Force(v any) (any, error) {
	l, ok := v.(mesh.Lazy)
	if !ok {
		return v, nil
	}
	w, err := l.Force(m.Ctx)
	m.Loaded()
	if err != nil {
		return nil, m.Failed(err)
	}
	return w, nil
}

// Loaded is called after each call that may have loaded something.
func (m *Task) Loaded() {
	if m.Loading != nil && m.Loading.Load() {
		m.Host.LoadEnded()
	}
}

// Failed reports the error of a load to the host, and returns it.
func (m *Task) Failed(err error) error {
	if err != nil && m.Host != nil {
		m.Host.LoadFailed(err)
	}
	return err
}

// Truthy reports whether v is neither null nor false. An object is true: it need
// not be read for that.
func (m *Task) Truthy(v any) (bool, error) {
	switch x := v.(type) {
	case *list:
		return true, nil
	case mesh.Known:
		if x.IsObject() {
			return true, nil
		}
	}
	v, err := m.Force(v)
	return v != nil && v != false, err
}

// EntrySize is about what a member of an object takes, key and value.
const EntrySize = 48

// What is allocated is added up, and now and then, or before something large,
// the heap is looked at: so only what lives counts, not what was made and
// dropped on the way.
const (
	sumUp    = 64 << 10 // a goroutine keeps its own sum up to this
	lookEach = 4 << 20  // bytes between two looks
	large    = 1 << 20  // is looked at beforehand
)

// budget is the memory that a run may hold.
type Budget struct {
	max    int64
	held   func() int64 // what lives in the heap and is not the query's
	base   int64        // what lived before the run began
	since  atomic.Int64 // allocated since the last look
	total  atomic.Int64 // allocated by the query in all: it can't hold more
	settle sync.Mutex   // one collects
	after  int64        // in use when spare had collected last; guarded by settle
}

func newBudget(limit int64, held func() int64) *Budget {
	if limit <= 0 {
		limit = 1 << 30
	}
	if held == nil {
		held = func() int64 { return 0 }
	}
	return &Budget{max: limit, held: held, base: ReadHeap("/gc/heap/live:bytes") - held()}
}

// Alloc accounts n bytes that are about to be allocated.
func (m *Task) Alloc(n int) error {
	if m.owed += n; m.owed < sumUp && m.owed >= 0 {
		return nil
	}
	m.owed = 0
	if err := m.Ctx.Err(); err != nil {
		return err
	}
	return m.shared.Budget.take(int64(n))
}

// take accounts n bytes and what a goroutine may have summed up beside.
func (b *Budget) take(n int64) error {
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
func (b *Budget) look(n int64) error {
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
func (b *Budget) spare() bool {
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
func (b *Budget) inUse() int64 {
	return ReadHeap("/memory/classes/heap/objects:bytes", "/memory/classes/heap/stacks:bytes") - max(b.base, 0) - b.held()
}

func (b *Budget) exceeded() error {
	allowed := fmt.Sprintf("%d MiB", b.max>>20)
	if b.max < 1<<20 {
		allowed = fmt.Sprintf("%d KiB", b.max>>10)
	}
	return &LimitError{"the query needs more memory than allowed (" + allowed + ")"}
}

// ReadHeap returns the sum of runtime metrics that are counts.
func ReadHeap(names ...string) int64 {
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
