package mesh

import (
	"context"
	"sync"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// Object is an object of a known kind. A query sees the map that Force returns;
// in addition, the kind is known without forcing, and the owner, so that a
// function like match can find the rest of its proxy.
type Object struct {
	// Kind is what its "kind" field says: "Proxy", "Cluster", …
	Kind string

	// Owner is the object that an object of a section belongs to: the proxy, or
	// what istiod would send to it (whose Owner is the proxy). Nil for all others.
	Owner *Object

	part *Partial // set if only some fields were requested

	mu     sync.Mutex
	maker  Maker // nil once fields are made
	fields *object.Object
}

// A Maker makes an object's fields. Any number of goroutines may call it at
// once.
type Maker interface {
	// Fields makes the fields, without a request: a new map each time, without
	// "kind".
	Fields(ctx context.Context) (*object.Object, error)
	// Member returns a field that is known without making all, as in [Known].
	Member(key string) (v any, ok bool)
}

// A Chooser is a Maker that may make some fields for less than all.
type Chooser interface {
	Maker
	// Some makes these fields. Each is in the map, null where there is none; others
	// may be, too. Nil: making them costs as much as making all.
	Some(ctx context.Context, keys []string) *object.Object
}

type makerFunc func(context.Context) (*object.Object, error)

func (f makerFunc) Fields(ctx context.Context) (*object.Object, error) { return f(ctx) }
func (makerFunc) Member(string) (any, bool)                            { return nil, false }

// NewObject returns an object whose fields are known; some may be lazy. It
// takes over fields and sets "kind" in them.
func NewObject(kind string, owner *Object, fields *object.Object) *Object {
	fields.SetFirst("kind", kind)
	return &Object{Kind: kind, Owner: owner, fields: fields}
}

// LaterObject returns an object whose fields are made, without a request, when
// they are first read.
func LaterObject(kind string, owner *Object, make func(context.Context) (*object.Object, error)) *Object {
	return MadeObject(kind, owner, makerFunc(make))
}

// MadeObject is LaterObject for a maker that knows some fields in advance.
func MadeObject(kind string, owner *Object, m Maker) *Object {
	return &Object{Kind: kind, Owner: owner, maker: m}
}

// Proxy returns the proxy that the object belongs to, or itself if it is one;
// nil for an object of no proxy.
func (o *Object) Proxy() *Object {
	for o != nil && o.Kind != "Proxy" {
		o = o.Owner
	}
	return o
}

// Force returns the object's fields, an *object.Object.
func (o *Object) Force(ctx context.Context) (any, error) { return o.Fields(ctx) }

// Fields returns the object's fields. They must not be changed.
func (o *Object) Fields(ctx context.Context) (*object.Object, error) {
	if o.part != nil {
		v, err := o.part.Force(ctx)
		m, _ := v.(*object.Object)
		return m, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fields == nil {
		m, err := o.maker.Fields(ctx)
		if err != nil {
			return nil, err
		}
		m.SetFirst("kind", o.Kind)
		o.fields, o.maker = m, nil
	}
	return o.fields, nil
}

// Some returns these fields without making or keeping the others, for a reader
// that needs them once. Nil: nothing is gained, call Fields.
func (o *Object) Some(ctx context.Context, keys []string) *object.Object {
	if o.part != nil {
		return nil
	}
	o.mu.Lock()
	maker := o.maker
	o.mu.Unlock()
	c, ok := maker.(Chooser)
	if !ok {
		return nil
	}
	m := c.Some(ctx, keys)
	if m != nil {
		m.SetFirst("kind", o.Kind)
	}
	return m
}

// Forced returns the fields if they were made.
func (o *Object) Forced() (any, bool) {
	if o.part != nil {
		return o.part.Forced()
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.fields, o.fields != nil
}

// Member implements [Known].
func (o *Object) Member(key string) (any, bool) {
	switch {
	case key == "kind":
		return o.Kind, true
	case o.part != nil:
		return o.part.Member(key)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.maker == nil {
		v, ok := o.fields.Lookup(key)
		return v, ok
	}
	return o.maker.Member(key)
}

// IsPart reports whether only some fields were requested: reading any other
// costs a request.
func (o *Object) IsPart() bool { return o.part != nil }

// IsObject implements [Known].
func (*Object) IsObject() bool { return true }

// Pending is false: an object's own fields cost no request.
func (*Object) Pending() bool { return false }
