package sources

import (
	"context"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/envoy"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/store"
)

// excerpt gives a section of a live Envoy as the query looks at it: some fields
// of its elements, for a request that costs Envoy less, with all of it behind
// them; or all of it, where that is what is looked at.
func (r *row) excerpt(s mesh.Section, load store.Load) *store.Thunk {
	whole := r.group.Thunk(load)
	fields := r.m.options.Looks[s].Fields
	if !envoy.CanExcerpt(s, fields) {
		return whole
	}
	return r.group.Thunk(func(ctx context.Context) (any, error) {
		d := &reader{row: r, documents: map[string]*decode.Document{}}
		asking := context.WithValue(ctx, loadKey{}, true)
		x, err := envoy.NewNarrow(r.object, d.fetch, r.m.now, mesh.Hint{}).Excerpt(asking, s, fields)
		if err != nil {
			return r.had(ctx, s, nil, err)
		}
		if x == nil {
			return load(ctx) // within this load: it holds a slot already
		}
		x.Proxy, x.Changed = r.id, r.m.options.Changed
		x.Whole = func(ctx context.Context) ([]any, error) {
			v, err := whole.Force(ctx)
			all, _ := v.([]any)
			return all, err
		}
		return r.had(ctx, s, x.Objects(), nil)
	})
}
