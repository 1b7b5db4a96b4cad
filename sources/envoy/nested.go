package envoy

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// A nested object is one inside a resource, a virtual host or a route: it has
// Envoy's fields and some of ours.
type nested struct {
	proxy   *Proxy
	encoded any
	ours    []string             // the fields that set sets
	set     func(*object.Object) // gets a copy of Envoy's fields
	decoded atomic.Int32         // how many members were decoded alone
}

// ourFields returns the fields of a kind that are not Envoy's, and those that
// replace Envoy's.
func ourFields(kind string, replaced ...string) []string {
	k, _ := mesh.KindOf(kind)
	for _, f := range k.Fields {
		replaced = append(replaced, f.Name)
	}
	return replaced
}

func (p *Proxy) nested(kind string, encoded any, ours []string, set func(*object.Object)) *mesh.Object {
	return mesh.MadeObject(kind, p.owner, &nested{proxy: p, encoded: encoded, ours: ours, set: set})
}

func (n *nested) decode(ctx context.Context) (*object.Object, error) {
	v, err := mesh.Force(ctx, n.encoded)
	m, _ := v.(*object.Object)
	return m, err
}

// Fields implements [mesh.Maker].
func (n *nested) Fields(ctx context.Context) (*object.Object, error) {
	own, err := n.decode(ctx)
	if err != nil {
		return nil, err
	}
	m := object.New(own.Len() + len(n.ours))
	m.SetAll(own)
	m.Set("kind", nil) // reserves its position
	n.set(m)
	m.Rotate(own.Len())
	n.proxy.grow(fieldsCost(m))
	return m, nil
}

// Member implements [mesh.Maker]. Copying all of Envoy's fields is most of what an
// object costs, so a few members are decoded alone.
func (n *nested) Member(key string) (any, bool) {
	if slices.Contains(n.ours, key) || n.decoded.Add(1) > mostAlone {
		return nil, false
	}
	own, err := n.decode(context.Background())
	return own.Get(key), err == nil // Fields reports the error
}
