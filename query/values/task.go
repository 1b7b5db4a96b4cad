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

// Task is what a goroutine of a run needs to work on values: its context, its
// share of the memory account, the depth of its calls, and the token of the
// values that it may change in place.
type Task struct {
	Ctx context.Context

	// Host is notified of loads. It may be nil.
	Host Host

	// Loading is true while an unread value is being loaded for this goroutine.
	// It is nil if nothing reads it.
	Loading *atomic.Bool

	// MaxSteps ends the work with [ErrStop] after this number of steps. 0 means
	// no limit.
	MaxSteps int

	shared  *Shared
	steps   int
	depth   Depth
	nesting int             // current depth of compared or merged containers: see Nest
	owed    int             // bytes allocated but not yet added to the budget
	token   *object.Token   // marks the values that may be changed in place; nil: none
	text    strings.Builder // the last long string that was appended to: see joined
}

// Host connects a goroutine with the other goroutines of its run.
type Host interface {
	// LoadEnded is called after a load, if Loading is true.
	LoadEnded()

	// LoadFailed is called with the error of a load.
	LoadFailed(err error)

	// LoadEach calls load for several elements at once, and calls use with each
	// result in the order of the elements.
	LoadEach(elements []any, load func(*Task, any) (any, error), use func(any)) error
}

// Shared is the state that all tasks of a run share.
type Shared struct {
	Budget *Budget
	funcs  *native.Funcs
	lists  atomic.Bool // a list was made in this run
}

// NewTask returns the first task of a run that may use limit bytes; 0 means 1
// GiB. Held returns how many bytes of the heap don't belong to the run; nil means
// none. Funcs caches compiled gojq functions across runs.
func NewTask(ctx context.Context, funcs *native.Funcs, limit int64, held func() int64) Task {
	return Task{Ctx: ctx, shared: &Shared{funcs: funcs, Budget: newBudget(limit, held)}}
}

// Fork returns a task of the same run for another goroutine. The new task can't
// change existing values in place.
func (m *Task) Fork(ctx context.Context) Task {
	return Task{Ctx: ctx, shared: m.shared, depth: m.depth}
}

// Spare reports whether the run uses so little memory that it may keep more
// results for later: see [Budget].
func (m *Task) Spare() bool { return m.shared.Budget.spare() }

// MaxMemory returns how many bytes the run may use.
func (m *Task) MaxMemory() int64 { return m.shared.Budget.max }

// mine returns the token of the values that this task may change in place, as
// long as no other goroutine has seen them.
func (m *Task) mine() *object.Token {
	if m.token == nil {
		m.token = new(object.Token)
	}
	return m.token
}

// Freeze is called before another goroutine can see values of this task. No
// existing value is changed in place after that.
func (m *Task) Freeze() { m.token = nil }

// Tick is called in every loop and call. It returns an error when the context has
// ended.
func (m *Task) Tick() error {
	if m.steps++; m.steps&255 != 0 {
		return nil
	}
	if m.MaxSteps > 0 && m.steps > m.MaxSteps {
		return ErrStop
	}
	return m.Ctx.Err()
}

// maxStack limits the bytes of stack that calls may use in one goroutine. A Go
// stack can't grow beyond 512 MB, and a program can't recover from a stack
// overflow.
const maxStack = 400 << 20

// The stack that a call is assumed to use if it can't be measured: nodeSize bytes
// for each node of the function, and CallWeight nodes for the call itself.
const (
	nodeSize   = 200
	CallWeight = 4
)

// mostFrames is an upper bound of the bytes of stack that one call uses.
const mostFrames = 1 << 20

var ErrDepth = errors.New("recursion is too deep")

// A Depth is the position of the stack before a call.
type Depth struct {
	used int     // bytes of stack, for all calls
	top  uintptr // address of the top of the stack
}

// Enter is called before a nested call; Leave, with Enter's result, undoes it.
// Enter measures the stack used since the enclosing call by the addresses of two
// local variables. If the runtime has moved the stack in between, the difference
// is meaningless, and Enter estimates the use from the weight, in nodes.
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

// Leave undoes a call of Enter that returned was.
func (m *Task) Leave(was Depth) { m.depth = was }

// Force returns v, or the loaded value of a lazy v, whose members may be lazy
// again. Values must only be read through Force and Deep.
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

// Loaded is called after each call that may have loaded a value.
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

// Truthy reports whether v is neither null nor false. It doesn't load an object,
// which is always true.
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

// EntrySize is the approximate memory in bytes of a member of an object, with its
// key.
const EntrySize = 48

// Allocated bytes are added up. After every lookEach bytes, and before a large
// allocation, the budget measures the heap, so that garbage doesn't count.
const (
	sumUp    = 64 << 10 // a goroutine keeps its own sum up to this
	lookEach = 4 << 20  // bytes between two measurements of the heap
	large    = 1 << 20  // larger allocations are checked in advance
)

// Budget limits the memory that a run may use.
type Budget struct {
	max    int64
	held   func() int64 // returns the bytes of the heap that don't belong to the query
	base   int64        // heap in use before the run began
	since  atomic.Int64 // bytes allocated since the last measurement
	total  atomic.Int64 // bytes allocated by the query in all, an upper bound of what it uses
	settle sync.Mutex   // only one goroutine collects garbage at a time
	after  int64        // heap in use after spare last collected garbage; guarded by settle
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

// Alloc counts n bytes that are about to be allocated.
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

// take adds n bytes to the budget, plus what each goroutine may have summed up on
// its own.
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

// look compares the heap with the limit. If the heap exceeds the limit, look
// collects garbage first.
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
	if b.inUse()+n > b.max-b.max/8 { // so that the next collection isn't needed soon
		return b.exceeded()
	}
	return nil
}

// spare reports whether the query uses at most an eighth of its limit, so that
// results evaluated ahead of the consumer may accumulate. It collects garbage if
// that could change the answer.
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

// inUse returns the memory of the run in bytes, including garbage.
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

// ReadHeap returns the sum of the named runtime metrics, which must be counts.
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
