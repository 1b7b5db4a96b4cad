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

// Task contains the data that one goroutine of a run needs to work on values: the
// context, the memory that it has allocated, the depth of its calls, and the token that
// marks values which it may change in place.
type Task struct {
	Ctx context.Context

	// Host is notified of each load of this goroutine. It may be nil.
	Host Host

	// Loading is true while this goroutine waits for a load. The pointer is nil if
	// nothing depends on that.
	Loading *atomic.Bool

	// MaxSteps is the number of steps after which the goroutine's work ends with
	// [ErrStop]. 0 means no limit.
	MaxSteps int

	shared  *Shared
	steps   int
	depth   Depth
	nesting int             // current depth of containers that are compared or merged; see Nest
	owed    int             // bytes that were allocated but are not yet counted in the budget
	token   *object.Token   // marks the values that may be changed in place; nil if there are none
	text    strings.Builder // the last long string that the method joined has appended to
}

// Host connects one goroutine of a run with the others.
type Host interface {
	// LoadEnded is called after each load if the value had to be loaded, that is, if
	// Task.Loading was set.
	LoadEnded()

	// LoadFailed is called with the error of a load that failed.
	LoadFailed(err error)

	// LoadEach calls the function load for all elements concurrently. It calls the
	// function use with each result, in the order of the elements.
	LoadEach(elements []any, load func(*Task, any) (any, error), use func(any)) error
}

// Shared contains the state that all tasks of a run share.
type Shared struct {
	Budget *Budget
	funcs  *native.Funcs
	lists  atomic.Bool // whether any array of this run was changed in place, which creates a list (see list.go)
}

// NewTask returns the first task of a run. The run may use limit bytes of memory; 0 means
// 1 GiB. held returns how many bytes of the heap don't count against the limit, because
// they don't belong to the run; nil means none. funcs is a cache of compiled gojq
// functions, which several runs may share.
func NewTask(ctx context.Context, funcs *native.Funcs, limit int64, held func() int64) Task {
	return Task{Ctx: ctx, shared: &Shared{funcs: funcs, Budget: newBudget(limit, held)}}
}

// Fork returns a task for another goroutine of the same run. The new task can't change
// existing values in place.
func (m *Task) Fork(ctx context.Context) Task {
	return Task{Ctx: ctx, shared: m.shared, depth: m.depth}
}

// Spare reports whether the run uses so little memory that it may buffer more results;
// see [Budget].
func (m *Task) Spare() bool { return m.shared.Budget.spare() }

// MaxMemory returns the memory limit of the run in bytes.
func (m *Task) MaxMemory() int64 { return m.shared.Budget.max }

// mine returns the token that marks values which this task may change in place. No other
// goroutine has access to these values.
func (m *Task) mine() *object.Token {
	if m.token == nil {
		m.token = new(object.Token)
	}
	return m.token
}

// Freeze must be called before another goroutine gets access to values of this task.
// After that, no existing value is changed in place.
func (m *Task) Freeze() { m.token = nil }

// Tick must be called in every loop and every call. It returns an error if the context
// has ended.
func (m *Task) Tick() error {
	if m.steps++; m.steps&255 != 0 {
		return nil
	}
	if m.MaxSteps > 0 && m.steps > m.MaxSteps {
		return ErrStop
	}
	return m.Ctx.Err()
}

// maxStack limits the bytes of stack that calls may use in one goroutine. Go doubles a
// stack when it grows, up to 1,000,000,000 bytes, so a stack can't be larger than 512
// MiB. A program can't recover from a stack overflow.
const maxStack = 400 << 20

// The estimated stack of a call whose real stack use can't be measured: nodeSize bytes
// for each compiled node of the function, and CallWeight nodes for the call itself.
const (
	nodeSize   = 200
	CallWeight = 4
)

// mostFrames is the largest stack use of one call that is considered plausible, in bytes.
const mostFrames = 1 << 20

var ErrDepth = errors.New("recursion is too deep")

// A Depth is the size of the stack before a call.
type Depth struct {
	used int     // bytes of stack that all nested calls use
	top  uintptr // address of the top of the stack
}

// Enter must be called before a nested call, and Leave after it, with the result of
// Enter. Enter measures the stack that the enclosing call uses, as the distance between
// the addresses of two local variables. If the runtime has moved the stack in between,
// the distance is meaningless. Enter then estimates the stack from weight, a number of
// compiled nodes.
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

// Leave undoes a call of Enter. was is the result of Enter.
func (m *Task) Leave(was Depth) { m.depth = was }

// Force returns the loaded value if v is lazy, and v itself otherwise. Members of the
// result may be lazy again. All code must read values through Force or Deep.
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

// Failed reports a failed load to the task's host, and returns the error.
func (m *Task) Failed(err error) error {
	if err != nil && m.Host != nil {
		m.Host.LoadFailed(err)
	}
	return err
}

// Truthy reports whether v is neither null nor false. It doesn't load objects, because an
// object is always true.
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

// EntrySize is the approximate size of one member of an object with its key, in bytes.
const EntrySize = 48

// The budget adds up all allocated bytes. After every lookEach bytes, and before a large
// allocation, the heap in use is measured, so that memory that was freed doesn't count.
const (
	sumUp    = 64 << 10 // a goroutine adds its allocated bytes to the budget when they reach this number
	lookEach = 4 << 20  // number of allocated bytes between two measurements of the heap
	large    = 1 << 20  // an allocation of at least this size is checked in advance
)

// Budget limits the memory that a run may use.
type Budget struct {
	max    int64
	held   func() int64 // returns the bytes of the heap that don't belong to the query
	base   int64        // bytes of the heap that were in use before the run began
	since  atomic.Int64 // bytes allocated since the last measurement of the heap
	total  atomic.Int64 // all bytes that the query has allocated; an upper bound of the bytes in use
	settle sync.Mutex   // ensures that only one goroutine collects garbage at a time
	after  int64        // bytes of the heap in use after the method spare last collected garbage; guarded by settle
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

// Alloc counts n bytes that the caller is about to allocate. It returns an error if they
// exceed the memory limit.
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

// take adds n bytes to the budget. It also includes the bytes that other goroutines may
// have allocated but not added yet.
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

// look measures the heap and returns an error if the heap exceeds the memory limit.
// Before it returns the error, it collects garbage and measures again.
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
	// some memory must stay free, so that the next garbage collection isn't needed soon
	if b.inUse()+n > b.max-b.max/8 {
		return b.exceeded()
	}
	return nil
}

// spare reports whether the query uses at most an eighth of its memory limit. If so,
// results may be buffered for the consumer. spare collects garbage first if that could
// change its result.
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

// inUse returns the number of bytes that the run uses, including garbage.
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

// ReadHeap returns the sum of the runtime metrics with the given names, which must have
// integer values.
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
