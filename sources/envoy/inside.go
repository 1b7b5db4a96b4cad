package envoy

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// An insider makes an object of one inside another: Envoy's own fields, with
// facts among them.
type insider struct {
	proxy *Proxy
	own   any
	facts []string             // that add sets
	add   func(*object.Object) // to a copy of Envoy's
	looks atomic.Int32         // for one member
}

// inside makes the object; facts are the fields that add sets.
func (p *Proxy) inside(kind string, own any, facts []string, add func(*object.Object)) *mesh.Object {
	return mesh.MadeObject(kind, p.owner, &insider{proxy: p, own: own, facts: facts, add: add})
}

func (i *insider) envoys(ctx context.Context) (*object.Object, error) {
	v, err := mesh.Force(ctx, i.own)
	m, _ := v.(*object.Object)
	return m, err
}

// Fields is that of [mesh.Maker].
func (i *insider) Fields(ctx context.Context) (*object.Object, error) {
	own, err := i.envoys(ctx)
	if err != nil {
		return nil, err
	}
	m := object.New(own.Len() + len(i.facts) + 1) // and its kind
	m.SetAll(own)
	m.Set("kind", nil) // its place
	i.add(m)
	m.Rotate(own.Len())
	i.proxy.told(fieldsCost(m))
	return m, nil
}

// Member is that of [mesh.Maker]: to copy all fields is most of what one of
// Envoy's costs.
func (i *insider) Member(key string) (any, bool) {
	if slices.Contains(i.facts, key) || i.looks.Add(1) > mostLooks {
		return nil, false
	}
	own, err := i.envoys(context.Background())
	return own.Get(key), err == nil // else who makes them all hears of it
}
