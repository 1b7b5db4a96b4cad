package routing

import (
	"context"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// CriteriaOf gives what a route asks of the endpoints' metadata (envoy.lb), of
// each of its clusters in the order of its entry; nil where it asks nothing.
func CriteriaOf(ctx context.Context, route any) ([]*object.Object, error) {
	r := &reader{ctx: ctx}
	action := r.message(route).sub("route")
	own := r.wanted(action)
	all := []*object.Object{own}
	if action.has("weightedClusters") {
		all = nil
		for _, e := range action.sub("weightedClusters").list("clusters") {
			all = append(all, merge(own, r.wanted(e)))
		}
	}
	return all, r.err
}

// wanted is the metadata that a route, or an entry of it, matches.
func (r *reader) wanted(m message) *object.Object {
	v, err := mesh.Deep(r.ctx, m.sub("metadataMatch").sub("filterMetadata").fields.Get("envoy.lb"))
	if err != nil && r.err == nil {
		r.err = err
	}
	fields, _ := v.(*object.Object)
	return fields
}

// merge is some metadata, over which an entry's own goes.
func merge(under, over *object.Object) *object.Object {
	if over.Len() == 0 {
		return under
	}
	out := over.Clone()
	for k, v := range under.All() {
		if _, has := out.Lookup(k); !has {
			out.Set(k, v)
		}
	}
	return out
}
