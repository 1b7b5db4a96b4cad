package document

import (
	"context"
	"fmt"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// Proxies contains proxies, either all of a mesh or those in an array, together with
// their names.
type Proxies struct {
	all   []any
	names []mesh.Name
}

// ProxiesOf returns the proxies in v, which must be the mesh or an array of proxies. ok
// is false for any other value.
func ProxiesOf(ctx context.Context, v any) (p Proxies, ok bool, err error) {
	r := NewReader(ctx)
	v = r.Force(v)
	if m, isObject := v.(*object.Object); isObject {
		v = r.Force(m.Get("proxies"))
	}
	p.all, _ = v.([]any)
	if r.Err != nil || p.all == nil {
		return p, false, r.Err
	}
	for _, one := range p.all {
		m := r.Message(one)
		p.names = append(p.names, mesh.Name{
			ID: m.Text("id"), Pod: m.Text("name"), Namespace: m.Text("namespace"), Workload: m.Text("workload"),
			ClusterID: m.Text("clusterID"), Context: m.Text("context"),
		})
	}
	return p, true, r.Err
}

// Named returns all proxies that the name matches, according to [mesh.Pick].
func (p Proxies) Named(name string) (some []any) {
	for _, i := range mesh.Pick(name, p.names) {
		some = append(some, p.all[i])
	}
	return some
}

// One returns the proxy that the name matches. If it matches several proxies of one
// workload, One returns the first proxy and a note for the user. If it matches no proxy,
// or proxies of several workloads, One returns an error.
func (p Proxies) One(name string) (proxy any, note string, err error) {
	at := mesh.Pick(name, p.names)
	switch {
	case len(at) == 0:
		suggestion := ""
		if near := mesh.Near(name, p.names); near != nil {
			suggestion = "; did you mean " + p.listed(near) + "?"
		}
		return nil, "", fmt.Errorf("no proxy named %s%s", name, suggestion)
	case len(at) == 1:
		return p.all[at[0]], "", nil
	case p.areOneWorkload(at):
		return p.all[at[0]], fmt.Sprintf("%s is %d proxies; this is the first, %s", name, len(at), p.names[at[0]].ID), nil
	}
	return nil, "", fmt.Errorf("%s is %d proxies: %s", name, len(at), p.listed(at))
}

func (p Proxies) areOneWorkload(at []int) bool {
	namespace := func(n mesh.Name) string { return strings.TrimPrefix(n.ID, n.Pod) }
	first := p.names[at[0]]
	for _, i := range at {
		if n := p.names[i]; n.Workload == "" || n.Workload != first.Workload || n.ClusterID != first.ClusterID || n.Context != first.Context || namespace(n) != namespace(first) {
			return false
		}
	}
	return true
}

// listed returns the ids of at most five of the proxies as a text. If the proxies are
// from several Kubernetes clusters or contexts, each id is followed by its cluster or
// context.
func (p Proxies) listed(at []int) string {
	const most = 5
	clusters, contexts := map[string]bool{}, map[string]bool{}
	for _, i := range at {
		clusters[p.names[i].ClusterID] = true
		contexts[p.names[i].Context] = true
	}
	var ids []string
	for _, i := range at[:min(most, len(at))] {
		id := p.names[i].ID
		switch {
		case len(clusters) > 1:
			id = p.names[i].ClusterID + "/" + id
		case len(contexts) > 1:
			id = p.names[i].Context + "/" + id
		}
		ids = append(ids, id)
	}
	if len(at) > most {
		ids = append(ids, fmt.Sprintf("and %d more", len(at)-most))
	}
	return strings.Join(ids, ", ")
}
