package document

import (
	"context"
	"fmt"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// Proxies are the proxies of the mesh, or of an array, and their names.
type Proxies struct {
	all   []any
	names []mesh.Name
}

// ProxiesOf returns the proxies of v: the mesh, or an array of proxies. ok is
// false where v is neither.
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

// Named returns all proxies that a name fits, as [mesh.Pick] decides.
func (p Proxies) Named(name string) (some []any) {
	for _, i := range mesh.Pick(name, p.names) {
		some = append(some, p.all[i])
	}
	return some
}

// One returns the proxy that a name fits. Of several proxies of one workload it
// returns the first, and a note for the user. It is an error that no proxy has
// the name, or that proxies of several workloads do.
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

// listed joins the ids of some proxies, at most five, each with its cluster or
// context where these differ.
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
