package mesh

import (
	"context"
	"sync"
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

	mu     sync.Mutex
	make   func(context.Context) (map[string]any, error)
	fields map[string]any
}

// NewObject gives an object whose fields are known; some may be lazy. "kind"
// is set in fields, which the object takes over.
func NewObject(kind string, owner *Object, fields map[string]any) *Object {
	fields["kind"] = kind
	return &Object{Kind: kind, Owner: owner, fields: fields}
}

// LaterObject gives an object whose fields are made, without asking anybody,
// when it is first looked into.
func LaterObject(kind string, owner *Object, make func(context.Context) (map[string]any, error)) *Object {
	return &Object{Kind: kind, Owner: owner, make: make}
}

// Proxy gives the proxy that an object is of, itself if it is one; nil for an
// object of none.
func (o *Object) Proxy() *Object {
	for o != nil && o.Kind != "Proxy" {
		o = o.Owner
	}
	return o
}

// Force gives the object's fields, a map[string]any.
func (o *Object) Force(ctx context.Context) (any, error) { return o.Fields(ctx) }

// Fields gives the object's fields. They must not be changed.
func (o *Object) Fields(ctx context.Context) (map[string]any, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fields == nil {
		m, err := o.make(ctx)
		if err != nil {
			return nil, err
		}
		m["kind"] = o.Kind
		o.fields, o.make = m, nil
	}
	return o.fields, nil
}

// Forced gives the fields if they were made.
func (o *Object) Forced() (any, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.fields, o.fields != nil
}

// Pending is false: an object's own fields cost no request.
func (*Object) Pending() bool { return false }
