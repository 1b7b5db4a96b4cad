package decode

import (
	"context"
	"sync"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// wholeMost is the size up to which a value is decoded whole when it is
// touched: that costs little more than one level, and all of it is there then.
// Where somebody else may have said the same, more of it costs nothing.
const (
	wholeMost = 8 << 10
	twinsMost = 16 << 10
)

// A Value is an object or an array that is still bytes of its document, and is
// decoded when it is touched. Errors are the context's or a [*mesh.Fault] with
// the document's Proxy and Name: after a pass has checked the document they
// can only mean that its bytes have changed or can't be read any more.
type Value struct {
	doc      *Document
	off, end int64
	shape    Shape
	object   bool

	mu     sync.Mutex
	forced any // nil: not yet
}

var _ mesh.Whole = (*Value)(nil)

// A Place is an object that is still bytes, and what a pass has read of it. It
// is for who made the pass: no part of a document.
type Place struct {
	Value *Value
	Known *object.Object // not to be changed
}

// Value gives the value that lies in [off, end), an object or else an array,
// with its shape. The place must be one that a pass has told.
func (d *Document) Value(off, end int64, shape Shape, object bool) *Value {
	return &Value{doc: d, off: off, end: end, shape: shape, object: object}
}

// Force decodes one level, or all of it when it has up to 8 KB (16 KB where there
// is a table of twins), and keeps that.
func (v *Value) Force(ctx context.Context) (any, error) {
	x, b, err := v.keep(ctx)
	v.doc.tell(b)
	if err != nil {
		return nil, v.doc.fault(err)
	}
	return x, nil
}

func (v *Value) keep(ctx context.Context) (x any, b bill, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.forced != nil {
		return v.forced, b, nil
	}
	if v.whole() {
		x, b, err = v.doc.whole(ctx, v.off, v.end, v.shape)
	} else {
		x, b, err = v.doc.read(ctx, v.off, v.end, v.shape, shallowNode, nil)
	}
	if err != nil {
		b.own = 0
		return nil, b, err
	}
	v.forced = x
	return x, b, nil
}

// whole tells whether Force decodes all of it.
func (v *Value) whole() bool {
	most := v.doc.small
	switch {
	case most > 0:
	case v.doc.Twins != nil:
		most = twinsMost
	default:
		most = wholeMost
	}
	return v.end-v.off <= most
}

// Forced gives what Force has kept.
func (v *Value) Forced() (any, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.forced, v.forced != nil
}

// Pending is false: to decode is no request.
func (*Value) Pending() bool { return false }

// Deep decodes all of it and keeps nothing.
func (v *Value) Deep(ctx context.Context) (any, error) {
	if x, ok := v.Forced(); ok && v.whole() {
		return x, nil
	}
	x, b, err := v.doc.whole(ctx, v.off, v.end, v.shape)
	v.doc.tell(bill{twins: b.twins})
	if err != nil {
		return nil, v.doc.fault(err)
	}
	return x, nil
}

// Part decodes what n wants of it and keeps nothing: what was built is the
// caller's to hold, and is told as any other.
func (v *Value) Part(ctx context.Context, n *Node) (any, error) {
	x, b, err := v.doc.read(ctx, v.off, v.end, v.shape, n, nil)
	v.doc.tell(b)
	if err != nil {
		return nil, v.doc.fault(err)
	}
	return x, nil
}

// Member decodes one member of an object, nil where there is none, and goes over
// the others. It keeps nothing.
func (v *Value) Member(ctx context.Context, name string) (any, error) {
	n := &Node{Fields: []Field{{Name: name, Node: insideNode}}}
	x, b, err := v.doc.read(ctx, v.off, v.end, v.shape, n, nil)
	v.doc.tell(bill{twins: b.twins})
	if err != nil {
		return nil, v.doc.fault(err)
	}
	m, _ := x.(*object.Object)
	return m.Get(name), nil
}

// Len counts the elements of an array, or the members of an object, and keeps
// nothing.
func (v *Value) Len(ctx context.Context) (int, error) {
	switch x, _ := v.Forced(); x := x.(type) {
	case []any:
		return len(x), nil
	case *object.Object:
		return x.Len(), nil
	}
	n, err := v.count(ctx)
	if err != nil {
		return 0, v.doc.fault(err)
	}
	return n, nil
}

var countNode = &Node{Walk: true, Elem: &Node{Walk: true, Visit: 1}}

func (v *Value) count(ctx context.Context) (n int, err error) {
	if !v.object {
		_, _, err = v.doc.read(ctx, v.off, v.end, v.shape, countNode, func(int, any, int64, int64) error {
			n++
			return nil
		})
		return n, err
	}
	// Of an object names count, and one may be there twice.
	x, b, err := v.doc.read(ctx, v.off, v.end, v.shape, shallowNode, nil)
	v.doc.tell(bill{twins: b.twins})
	m, _ := x.(*object.Object)
	return m.Len(), err
}
