package decode

import (
	"context"
	"sync"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// wholeMost is the size in bytes up to which a value is decoded completely when it is
// first read. That costs little more than decoding one level, and it saves decoding
// the inner values later. If documents share a table of [Twins], the limit is
// twinsMost, because a value that is also in another document needs no more memory.
const (
	wholeMost = 8 << 10
	twinsMost = 16 << 10
)

// A Value is an object or an array that is still encoded in its document. It is
// decoded when it is first read. Errors are those of the context or a [*mesh.Fault]
// with the document's Proxy and Name. After a pass has checked the document, such a
// fault can only mean that the bytes have changed or can't be read any more.
type Value struct {
	doc      *Document
	off, end int64
	shape    Shape
	object   bool

	mu     sync.Mutex
	forced any // the decoded value; nil until it is first read
}

var _ mesh.Whole = (*Value)(nil)

// A Place is an undecoded object, together with some members that a pass over the
// document has decoded. It is for the code that runs the pass, and never becomes part
// of the document that queries see.
type Place struct {
	Value *Value
	Known *object.Object // the decoded members; must not be changed
}

// Value returns the value at the offsets [off, end) of the document: an object, or
// an array if object is false. The shape determines the names of its members. A
// pass must have reported the offsets.
func (d *Document) Value(off, end int64, shape Shape, object bool) *Value {
	return &Value{doc: d, off: off, end: end, shape: shape, object: object}
}

// Force decodes the value and keeps the result. It decodes one level, or everything
// if the value is at most 8 KB (16 KB if the document has a table, [Twins]).
func (v *Value) Force(ctx context.Context) (any, error) {
	x, b, err := v.keep(ctx)
	v.doc.report(b)
	if err != nil {
		return nil, v.doc.fault(err)
	}
	return x, nil
}

func (v *Value) keep(ctx context.Context) (x any, b usage, err error) {
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

// whole reports whether Force decodes everything inside the value.
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

// Forced returns the decoded value, and whether Force has decoded it yet.
func (v *Value) Forced() (any, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.forced, v.forced != nil
}

// Pending is always false, because decoding needs no request.
func (*Value) Pending() bool { return false }

// Deep decodes the value and everything inside it. It doesn't keep the result.
func (v *Value) Deep(ctx context.Context) (any, error) {
	if x, ok := v.Forced(); ok && v.whole() {
		return x, nil
	}
	x, b, err := v.doc.whole(ctx, v.off, v.end, v.shape)
	v.doc.report(usage{twins: b.twins})
	if err != nil {
		return nil, v.doc.fault(err)
	}
	return x, nil
}

// Part decodes the parts of the value that n selects. It doesn't keep the result, but
// reports its size to the document's Grew as usual, because the caller may keep it.
func (v *Value) Part(ctx context.Context, n *Node) (any, error) {
	x, b, err := v.doc.read(ctx, v.off, v.end, v.shape, n, nil)
	v.doc.report(b)
	if err != nil {
		return nil, v.doc.fault(err)
	}
	return x, nil
}

// Member decodes one member of an object and skips the others. It returns nil if
// there is no such member. It doesn't keep the result.
func (v *Value) Member(ctx context.Context, name string) (any, error) {
	n := &Node{Fields: []Field{{Name: name, Node: insideNode}}}
	x, b, err := v.doc.read(ctx, v.off, v.end, v.shape, n, nil)
	v.doc.report(usage{twins: b.twins})
	if err != nil {
		return nil, v.doc.fault(err)
	}
	m, _ := x.(*object.Object)
	return m.Get(name), nil
}

// Len counts the elements of an array or the members of an object. It doesn't keep
// the parts that it reads.
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
	// A name that appears twice in an object counts once, so the names must be
	// decoded.
	x, b, err := v.doc.read(ctx, v.off, v.end, v.shape, shallowNode, nil)
	v.doc.report(usage{twins: b.twins})
	m, _ := x.(*object.Object)
	return m.Len(), err
}
