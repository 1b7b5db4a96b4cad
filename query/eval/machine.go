package eval

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/meshq/kubectl-meshq/query/syntax/native"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// pv is a value on its way through the query. p is nil unless a path
// expression is being evaluated.
type pv struct {
	v any
	p *path
}

// val is what a node gives that makes a new value: no longer a part of the
// input, unless it happens to be the last part that was found.
func (in pv) val(v any) pv {
	if in.p == nil {
		return pv{v, nil}
	}
	last := in
	if in.p.bad {
		last = pv{in.p.last, in.p.up}
	}
	if same(v, last.v) {
		return pv{v, last.p}
	}
	return pv{v, &path{up: last.p, bad: true, last: last.v}}
}

// plain is the value without its path: for what is evaluated beside the path.
func plain(in pv) pv { return pv{in.v, nil} }

// yield takes one result of a node. What it returns ends the node, which
// hands it on as it is.
type yield = func(pv) error

// mach is the state of one goroutine of a run.
type mach struct {
	ctx     context.Context
	run     *runState
	steps   int
	depth   depth           // of calls: see enter
	nesting int             // of the containers that are looked into: see nest
	owed    int             // bytes allocated that the budget does not know of yet
	next    tailCall        // to be made by the function that is being evaluated
	token   *object.Token   // of what it may update in place; nil: of nothing so far
	frame   *frame          // the innermost iteration over proxies that is under way
	text    strings.Builder // the last long text that was appended to: see joined

	queue *queue      // the region that this goroutine works for
	at    *loading    // the loads of this goroutine; nil: nobody is to know of them
	scout bool        // looking ahead: nothing that is seen is told
	muted bool        // doing again what was done: nothing is told twice
	sink  func(event) // where what is met is told; nil: to the run
}

// mine gives the machine's token. What was made with it may be updated in place,
// as long as no other goroutine has seen it.
func (m *mach) mine() *object.Token {
	if m.token == nil {
		m.token = new(object.Token)
	}
	return m.token
}

// freeze is called when another goroutine is about to see values: nothing that
// was made so far is updated in place any more.
func (m *mach) freeze() { m.token = nil }

// runState is what all goroutines of a run share.
type runState struct {
	workers int
	first   int // how many of them may load at first
	env     *object.Object
	opts    *RunOptions
	funcs   *native.Funcs
	budget  *budget
	hints   hints
	threads sync.WaitGroup
	lists   atomic.Bool // there are some
}

// scoutSteps is how long a scout goes on. What it was sent to evaluate may
// never end with the state that it has.
const scoutSteps = 1 << 16

// tick is called in every loop and call: it sees the end of the context.
func (m *mach) tick() error {
	if m.steps++; m.steps&255 != 0 {
		return nil
	}
	if m.scout && m.steps > scoutSteps {
		return errStop
	}
	return m.ctx.Err()
}

// maxStack is how many bytes of stack calls may take in one goroutine. A Go
// stack can't grow beyond 512 MB, and overflowing it can't be recovered.
const maxStack = 400 << 20

// What a call is taken to need where that can't be measured: so many bytes for
// each node of its function, and for so many nodes itself.
const (
	nodeSize   = 200
	callWeight = 4
)

// mostFrames is more than what a call takes.
const mostFrames = 1 << 20

var errDepth = errors.New("recursion is too deep")

// A depth is where the stack was before a call.
type depth struct {
	used int     // bytes, of all calls
	top  uintptr // the address that the stack had grown to
}

// enter is called where calls nest; leave, with what it gave, undoes it. The
// stack that was taken since the call around this one is measured, by the
// addresses of two variables on it. Where the stack was moved in between they
// tell nothing, and it is estimated by the weight, in nodes.
func (m *mach) enter(weight int) (depth, error) {
	var here byte
	was, top := m.depth, uintptr(unsafe.Pointer(&here))
	taken := int(was.top - top) // stacks grow downwards
	if taken <= 0 || taken > mostFrames {
		taken = weight * nodeSize
	}
	m.depth = depth{was.used + taken, top}
	if m.depth.used > maxStack {
		m.depth = was
		return was, errDepth
	}
	return was, m.tick()
}

func (m *mach) leave(was depth) { m.depth = was }

// force looks at v one level deep. All looking into values goes through it.
func (m *mach) force(v any) (any, error) {
	l, ok := v.(mesh.Lazy)
	if !ok {
		return v, nil
	}
	w, err := l.Force(m.ctx)
	m.at.ends()
	if err != nil {
		return nil, m.met(err)
	}
	return w, nil
}

// truthy tells whether v is neither null nor false. An object is true without
// being looked into.
func (m *mach) truthy(v any) (bool, error) {
	switch x := v.(type) {
	case *list:
		return true, nil
	case mesh.Known:
		if x.IsObject() {
			return true, nil
		}
	}
	v, err := m.force(v)
	return v != nil && v != false, err
}
