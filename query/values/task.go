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

// Task holds the data that a goroutine of a run needs to work on values: the
// context, the memory it has allocated, the depth of its calls, and the token of
// the values that it may change in place.
type Task struct {
	Ctx context.Context

	// Host is notified of each load. It may be nil.
	Host Host

	// Loading is true while an unread value is being loaded for this goroutine. It
	// may be nil.
	Loading *atomic.Bool

	// MaxSteps is the number of steps after which the work ends with [ErrStop]. 0
	// means no limit.
	MaxSteps int

	shared  *Shared
	steps   int
	depth   Depth
	nesting int             // the current depth of containers that are compared or merged; see Nest
	owed    int             // bytes that were allocated but not yet added to the budget
	token   *object.Token   // marks the values that may be changed in place; nil if there are none
	text    strings.Builder // the last long string that was appended to; see joined
}

// Host connects one goroutine of a run with the others.
type Host interface {
	// LoadEnded is called after a load, if Loading is true.
	LoadEnded()

	// LoadFailed is called with the error of a load.
	LoadFailed(err error)

	// LoadEach calls load for all elements in parallel, and calls use with each
	// result in the order of the elements.
	LoadEach(elements []any, load func(*Task, any) (any, error), use func(any)) error
}

// Shared holds the state that all tasks of a run share.
type Shared struct {
	Budget *Budget
	funcs  *native.Funcs
	lists  atomic.Bool // this run has made at least one list
}

// NewTask returns the first task of a run. The run may use limit bytes of memory;
// 0 means 1 GiB. held returns how many bytes of the heap don't belong to the run;
// nil means none. funcs caches compiled gojq functions across runs.
func NewTask(ctx context.Context, funcs *native.Funcs, limit int64, held func() int64) Task {
	return Task{Ctx: ctx, shared: &Shared{funcs: funcs, Budget: newBudget(limit, held)}}
}

// Fork returns a task for another goroutine of the same run. The new task can't
// change existing values in place.
func (m *Task) Fork(ctx context.Context) Task {
	return Task{Ctx: ctx, shared: m.shared, depth: m.depth}
}

// Spare reports whether the run uses so little memory that it may keep more
// results for later; see [Budget].
func (m *Task) Spare() bool { return m.shared.Budget.spare() }

// MaxMemory returns the memory limit of the run in bytes.
func (m *Task) MaxMemory() int64 { return m.shared.Budget.max }

// mine returns the token that marks the values which this task may change in
// place. No other goroutine has access to these values.
func (m *Task) mine() *object.Token {
	if m.token == nil {
		m.token = new(object.Token)
	}
	return m.token
}

// Freeze must be called before another goroutine gets access to values of this
// task. After Freeze, no existing value is changed in place.
func (m *Task) Freeze() { m.token = nil }

// Tick must be called in every loop and every call. It returns an error when the
// context has ended.
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

// The estimated stack of a call whose real use can't be measured: nodeSize bytes
// for each node of the function, and CallWeight nodes for the call itself.
const (
	nodeSize   = 200
	CallWeight = 4
)

// mostFrames is an upper bound for the stack of one call in bytes.
const mostFrames = 1 << 20

var ErrDepth = errors.New("recursion is too deep")

// A Depth is the size of the stack before a call.
type Depth struct {
	used int     // the bytes of stack that all nested calls use
	top  uintptr // the address of the top of the stack
}

// Enter must be called before a nested call, and Leave with Enter's result after
// it. Enter measures the stack of the enclosing call: the distance between the
// addresses of two local variables. If the runtime has moved the stack in between,
// the distance is meaningless. Enter then estimates the stack by the weight, which
// is a number of nodes.
func (m *Task) Enter(weight int) (Depth, error) {
	var here byte
	was, top := m.depth, uintptr(unsafe.Pointer(&here))
	taken := int(was.top - top) // a stack grows towards lower addresses
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

// Leave undoes a call of Enter. The argument is Enter's result.
func (m *Task) Leave(was Depth) { m.depth = was }

// Force returns the loaded value if v is lazy, and otherwise v itself. Members of
// the result may be lazy again. All code must read values through Force or Deep.
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

// Loaded must be called after each call that may have loaded a value.
func (m *Task) Loaded() {
	if m.Loading != nil && m.Loading.Load() {
		m.Host.LoadEnded()
	}
}

// Failed reports an error of a load to the host, and returns the error.
func (m *Task) Failed(err error) error {
	if err != nil && m.Host != nil {
		m.Host.LoadFailed(err)
	}
	return err
}

// Truthy reports whether v is neither null nor false. It doesn't load an object,
// because each object is true.
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

// EntrySize is the approximate memory in bytes of one member of an object,
// including its key.
const EntrySize = 48

// The budget adds up all allocated bytes. After every lookEach bytes, and before a
// large allocation, it measures the heap, so that garbage doesn't count.
const (
	sumUp    = 64 << 10 // a goroutine adds its bytes to the budget when they reach this number
	lookEach = 4 << 20  // the bytes between two measurements of the heap
	large    = 1 << 20  // an allocation of this size or more is checked in advance
)

// Budget limits the memory that a run may use.
type Budget struct {
	max    int64
	held   func() int64 // returns the bytes of the heap that don't belong to the query
	base   int64        // the heap that was in use before the run began
	since  atomic.Int64 // bytes allocated since the last measurement
	total  atomic.Int64 // all bytes that the query has allocated, an upper bound of the bytes in use
	settle sync.Mutex   // only one goroutine collects garbage at a time
	after  int64        // the heap in use after spare last collected garbage; guarded by settle
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

// Alloc counts n bytes that the caller is about to allocate.
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

// take adds n bytes to the budget. It also counts the bytes that goroutines may
// not have added yet.
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

// look measures the heap and returns an error if the heap exceeds the memory
// limit. Before it returns the error, it collects garbage and measures again.
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
	if b.inUse()+n > b.max-b.max/8 { // keep some distance, so that the next collection isn't needed soon
		return b.exceeded()
	}
	return nil
}

// spare reports whether the query uses at most an eighth of its memory limit.
// Results that are evaluated ahead of the consumer may then accumulate. spare
// collects garbage if that could change the result.
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

// inUse returns the memory that the run uses in bytes, including garbage.
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

// ReadHeap returns the sum of the named runtime metrics, which must be integers.
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
