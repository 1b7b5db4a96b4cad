package mesh

import (
	"context"
	"sync"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// Object is an object of a known kind. A query sees the fields that Force
// returns. The kind and the owner are known without forcing; a function like
// match uses the owner to find other sections of the same proxy.
type Object struct {
	// Kind is the value of the object's field "kind": "Proxy", "Cluster", …
	Kind string

	// Owner is the proxy whose section contains the object. If the object is
	// part of the configuration that istiod would send to a proxy, Owner is the
	// object of kind Desired, whose own Owner is the proxy. It is nil for all
	// other objects.
	Owner *Object

	part *Partial // the object with only the requested fields; nil if all fields were requested

	mu     sync.Mutex
	maker  Maker // makes the fields at their first read; nil as soon as fields is set
	fields *object.Object
}

// A Maker makes the fields of an object when they are first read. Several
// goroutines may call it at the same time.
type Maker interface {
	// Fields makes the fields without sending a request. Each call returns a
	// new map, which has no "kind".
	Fields(ctx context.Context) (*object.Object, error)
	// Member returns a field whose value is known before Fields is called, as
	// [Known] describes.
	Member(key string) (v any, ok bool)
}

// A Chooser is a Maker that can make some of the fields at a lower cost than
// all of them.
type Chooser interface {
	Maker
	// Some returns a map with the requested fields, and possibly others. A
	// requested field that the object doesn't have is null in the map. Some
	// returns nil if it would cost as much as Fields.
	Some(ctx context.Context, keys []string) *object.Object
}

type makerFunc func(context.Context) (*object.Object, error)

func (f makerFunc) Fields(ctx context.Context) (*object.Object, error) { return f(ctx) }
func (makerFunc) Member(string) (any, bool)                            { return nil, false }

// NewObject returns an object with the given fields, some of which may be lazy.
// The object keeps the map and sets "kind" in it.
func NewObject(kind string, owner *Object, fields *object.Object) *Object {
	fields.SetFirst("kind", kind)
	return &Object{Kind: kind, Owner: owner, fields: fields}
}

// LaterObject returns an object whose fields are made by a function when they
// are first read. The function must not send requests.
func LaterObject(kind string, owner *Object, make func(context.Context) (*object.Object, error)) *Object {
	return MadeObject(kind, owner, makerFunc(make))
}

// MadeObject returns an object whose fields are made by a Maker when they are
// first read. Unlike LaterObject, it may know some of the fields before that.
func MadeObject(kind string, owner *Object, m Maker) *Object {
	return &Object{Kind: kind, Owner: owner, maker: m}
}

// Proxy returns the proxy that the object belongs to, or the object itself if
// it is a proxy. It returns nil if the object belongs to no proxy.
func (o *Object) Proxy() *Object {
	for o != nil && o.Kind != "Proxy" {
		o = o.Owner
	}
	return o
}

// Force returns the object's fields as an *object.Object.
func (o *Object) Force(ctx context.Context) (any, error) { return o.Fields(ctx) }

// Fields returns the object's fields. The caller must not change them.
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

// Some returns the requested fields without making or keeping the others. It is
// meant for a caller that needs the fields only once. It returns nil if it
// would cost as much as Fields.
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

// Forced returns the fields if they have been made.
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

// IsPart reports whether only some fields were requested from Envoy. Reading
// any other field then costs a request.
func (o *Object) IsPart() bool { return o.part != nil }

// IsObject implements [Known]. It returns true.
func (*Object) IsObject() bool { return true }

// Pending returns false, because reading an object's fields costs no request.
func (*Object) Pending() bool { return false }
