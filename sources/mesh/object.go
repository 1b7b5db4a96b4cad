package mesh

import (
	"context"
	"sync"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// Object is an object of a known kind. To a query it is the map that Force
// gives; beside that it knows its kind without being looked into, and whose
// it is, so that a function like match can find the rest of its proxy.
type Object struct {
	// Kind is what its "kind" field says: "Proxy", "Cluster", …
	Kind string

	// Owner is what an object of a section hangs in: the proxy, or what Pilot
	// would send to one (its Owner is the proxy then). Nil for anything else.
	Owner *Object

	part *Partial // what is known of it before; nil: nothing

	mu     sync.Mutex
	maker  Maker // nil: fields are there
	fields *object.Object
}

// A Maker makes an object's fields. Any number of goroutines may ask it at
// once.
type Maker interface {
	// Fields makes them, without asking anybody: a new map each time. "kind"
	// is not in it.
	Fields(ctx context.Context) (*object.Object, error)
	// Member gives one of them that is known without making them all, as
	// [Known] has it.
	Member(key string) (v any, ok bool)
}

// A Chooser is a Maker that may make some fields for less than all.
type Chooser interface {
	Maker
	// Some makes these fields: each is in the map, null where there is none,
	// and others may be. Nil: it takes no less than all.
	Some(ctx context.Context, keys []string) *object.Object
}

type makerFunc func(context.Context) (*object.Object, error)

func (f makerFunc) Fields(ctx context.Context) (*object.Object, error) { return f(ctx) }
func (makerFunc) Member(string) (any, bool)                            { return nil, false }

// NewObject gives an object whose fields are known; some may be lazy. "kind"
// is set in fields, which the object takes over.
func NewObject(kind string, owner *Object, fields *object.Object) *Object {
	fields.SetFirst("kind", kind)
	return &Object{Kind: kind, Owner: owner, fields: fields}
}

// LaterObject gives an object whose fields are made, without asking anybody,
// when it is first looked into.
func LaterObject(kind string, owner *Object, make func(context.Context) (*object.Object, error)) *Object {
	return MadeObject(kind, owner, makerFunc(make))
}

// MadeObject is LaterObject for a maker that knows some fields before.
func MadeObject(kind string, owner *Object, m Maker) *Object {
	return &Object{Kind: kind, Owner: owner, maker: m}
}

// Proxy gives the proxy that an object is of, itself if it is one; nil for an
// object of none.
func (o *Object) Proxy() *Object {
	for o != nil && o.Kind != "Proxy" {
		o = o.Owner
	}
	return o
}

// Force gives the object's fields, an *object.Object.
func (o *Object) Force(ctx context.Context) (any, error) { return o.Fields(ctx) }

// Fields gives the object's fields. They must not be changed.
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

// Some gives these fields without making the others, for who looks at them once:
// they are not kept. Nil: there is nothing to be gained, Fields has them.
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

// Forced gives the fields if they were made.
func (o *Object) Forced() (any, bool) {
	if o.part != nil {
		return o.part.Forced()
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.fields, o.fields != nil
}

// Member is that of [Known].
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

// IsPart tells whether only a part of it was asked for: to look at the rest is
// to ask for it.
func (o *Object) IsPart() bool { return o.part != nil }

// IsObject is that of [Known].
func (*Object) IsObject() bool { return true }

// Pending is false: an object's own fields cost no request.
func (*Object) Pending() bool { return false }
