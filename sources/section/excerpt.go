package section

import (
	"context"

	"github.com/meshq/kubectl-meshq/sources/envoy"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/store"
)

// excerpt returns a section of a live Envoy with only the fields that the query
// will read, because such a request costs Envoy less. If another field is read,
// the whole section is loaded. The whole section is loaded at once if the query
// reads all fields, or if Envoy doesn't support requests for some fields.
func (p *Proxy) excerpt(s mesh.Section, load store.Load) *store.Thunk {
	whole := p.group.Thunk(load)
	fields := p.loader.Reads[s].Fields
	if !p.IsLive() || p.Type() == mesh.ZTunnel || p.loader.WholeDump || !envoy.CanExcerpt(s, fields) {
		return whole
	}
	return p.group.Thunk(func(ctx context.Context) (any, error) {
		x, err := envoy.NewNarrow(p.object, p.newReader().fetch, p.loader.Now, mesh.Hint{}).Excerpt(inLoad(ctx), s, fields)
		if err != nil {
			return p.noteLoad(ctx, s, nil, err)
		}
		if x == nil {
			return load(ctx) // whole.Force would wait for a second slot of the store while this load occupies one
		}
		x.Proxy = p.ID
		x.Whole = func(ctx context.Context) ([]any, error) {
			v, err := whole.Force(ctx)
			all, _ := v.([]any)
			return all, err
		}
		return p.noteLoad(ctx, s, x.Objects(), nil)
	})
}
