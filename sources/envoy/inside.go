package envoy

import (
	"context"
	"maps"
	"slices"
	"sync/atomic"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// An insider makes an object of one inside another: Envoy's own fields, with
// facts among them.
type insider struct {
	proxy *Proxy
	own   any
	facts []string             // that add sets
	add   func(map[string]any) // to a copy of Envoy's
	looks atomic.Int32         // for one member
}

// inside makes the object; facts are the fields that add sets.
func (p *Proxy) inside(kind string, own any, facts []string, add func(map[string]any)) *mesh.Object {
	return mesh.MadeObject(kind, p.owner, &insider{proxy: p, own: own, facts: facts, add: add})
}

func (i *insider) envoys(ctx context.Context) (map[string]any, error) {
	v, err := mesh.Force(ctx, i.own)
	m, _ := v.(map[string]any)
	return m, err
}

// Fields is that of [mesh.Maker].
func (i *insider) Fields(ctx context.Context) (map[string]any, error) {
	own, err := i.envoys(ctx)
	if err != nil {
		return nil, err
	}
	m := make(map[string]any, len(own)+len(i.facts)+1) // and its kind
	maps.Copy(m, own)
	i.add(m)
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
	return own[key], err == nil // else who makes them all hears of it
}
