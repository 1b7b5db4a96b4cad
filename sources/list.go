package sources

import (
	"context"
	"errors"
	"io/fs"

	"github.com/meshq/kubectl-meshq/sources/kube"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
	"github.com/meshq/kubectl-meshq/sources/redact"
	"github.com/meshq/kubectl-meshq/sources/store"
)

// hangLists hangs Kubernetes' lists in the mesh.
func (m *Mesh) hangLists(f *object.Object) {
	for _, l := range kube.Lists() {
		g := m.store.Group(nil)
		f.Set(l.Field, g.Thunk(func(ctx context.Context) (any, error) { return m.list(ctx, l, g) }))
	}
}

// list reads a resource of all contexts, in their order. What one of several
// contexts lacks is recorded, and the others' objects are there; what nobody
// has is an error.
func (m *Mesh) list(ctx context.Context, l kube.List, g *store.Group) (any, error) {
	all, had, faults := []any{}, false, []*mesh.Fault(nil)
	for _, r := range m.realms {
		if r.lone() {
			continue
		}
		objects, err := m.objects(ctx, r, l, g)
		if err == nil {
			all, had = append(all, objects...), true
			continue
		}
		if ended(ctx, err) {
			return nil, err
		}
		faults = append(faults, &mesh.Fault{Subject: m.called("kubernetes", r), Section: l.Field, Err: err})
	}
	if len(faults) == 0 && !had {
		faults = append(faults, &mesh.Fault{Subject: "kubernetes", Section: l.Field, Err: errors.New("a config dump says nothing of it")})
	}
	if !had {
		return nil, m.fail(ctx, faults[0])
	}
	for _, f := range faults {
		m.record(noted{f, true})
	}
	return all, nil
}

// objects reads a resource of one context.
func (m *Mesh) objects(ctx context.Context, r *realm, l kube.List, g *store.Group) ([]any, error) {
	doc, err := m.readable(ctx, question{r, kubernetes, "", l.Resource})
	if errors.Is(err, fs.ErrNotExist) && l.Also != "" {
		doc, err = m.readable(ctx, question{r, kubernetes, "", l.Also})
	}
	if errors.Is(err, fs.ErrNotExist) {
		if r.alive() && !r.without(err) { // the cluster has no such type, and so no object of it
			return nil, nil
		}
		return nil, &noAnswer{l.Resource, err}
	}
	if err != nil {
		return nil, err
	}
	doc.Grew = g.Grew
	objects, err := kube.Objects(ctx, l, doc, redact.Veil("kubernetes/"+l.Resource, l.Type()))
	return objects, doc.Named(err)
}
