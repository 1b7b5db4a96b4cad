package routing

import (
	"context"
	"maps"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// CriteriaOf gives what a route asks of the endpoints' metadata (envoy.lb), of
// each of its clusters in the order of its entry; nil where it asks nothing.
func CriteriaOf(ctx context.Context, route any) ([]map[string]any, error) {
	r := &reader{ctx: ctx}
	action := r.message(route).sub("route")
	own := r.wanted(action)
	all := []map[string]any{own}
	if action.has("weightedClusters") {
		all = nil
		for _, e := range action.sub("weightedClusters").list("clusters") {
			all = append(all, merge(own, r.wanted(e)))
		}
	}
	return all, r.err
}

// wanted is the metadata that a route, or an entry of it, matches.
func (r *reader) wanted(m message) map[string]any {
	v, err := mesh.Deep(r.ctx, m.sub("metadataMatch").sub("filterMetadata").fields["envoy.lb"])
	if err != nil && r.err == nil {
		r.err = err
	}
	fields, _ := v.(map[string]any)
	return fields
}

// merge is some metadata, over which an entry's own goes.
func merge(under, over map[string]any) map[string]any {
	if len(over) == 0 {
		return under
	}
	out := maps.Clone(over)
	for k, v := range under {
		if _, has := out[k]; !has {
			out[k] = v
		}
	}
	return out
}
