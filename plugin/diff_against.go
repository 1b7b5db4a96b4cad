package plugin

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/meshq/kubectl-meshq/sources"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// openOther opens the mesh of --against; it is the caller's.
func (d *diff) openOther(ctx context.Context, r *run) ([]transport.Source, error) {
	if d.against == "" {
		return nil, nil
	}
	f := *r.flags
	f.snapshots = []string{d.against}
	other := *r
	other.flags = &f
	return other.openSources(ctx)
}

func baseName(path string) string { return filepath.Base(path) }

// An otherMesh is the mesh of --against.
type otherMesh struct {
	*sources.Mesh
	all   []*mesh.Object
	names []mesh.Name
	tell  func(string)
}

// openOther makes the document of --against. All of its proxies are in it: the
// same one may go by another name there.
func (c *comparison) openOther(ctx context.Context, answers []transport.Source) error {
	m, err := sources.Open(ctx, sources.Options{
		Sources: answers, Keep: true, Memory: int64(c.memory), Concurrency: c.concurrency, Now: c.started, Clock: c.Now,
	})
	if err != nil {
		return c.opening(ctx, &exitError{exitUsage, err})
	}
	o := &otherMesh{Mesh: m, tell: c.note}
	c.other = o
	v, err := mesh.Get(ctx, m.Document(), "proxies")
	if err == nil {
		v, err = mesh.Force(ctx, v)
	}
	if err != nil {
		return err
	}
	list, _ := v.([]any)
	for _, p := range list {
		if p, ok := p.(*mesh.Object); ok {
			name, err := proxyName(ctx, p)
			if err != nil {
				return err
			}
			o.all, o.names = append(o.all, p), append(o.names, name)
		}
	}
	return nil
}

// find gives the same proxy, or the first of the same workload: pods come and
// go. Nil where there is neither.
func (o *otherMesh) find(ctx context.Context, p *mesh.Object) (*mesh.Object, error) {
	want, err := proxyName(ctx, p)
	if err != nil {
		return nil, err
	}
	for i, n := range o.names {
		if n.ID == want.ID && n.ClusterID == want.ClusterID {
			return o.all[i], nil
		}
	}
	for i, n := range o.names {
		if want.Workload != "" && n.Workload == want.Workload && n.ClusterID == want.ClusterID && spaceOf(n) == spaceOf(want) {
			o.tell(fmt.Sprintf("%s is compared with %s, of the same workload", want.ID, n.ID))
			return o.all[i], nil
		}
	}
	return nil, nil
}

func spaceOf(n mesh.Name) string { return n.ID[min(len(n.Pod), len(n.ID)):] }

func proxyName(ctx context.Context, p *mesh.Object) (n mesh.Name, err error) {
	for field, at := range map[string]*string{"id": &n.ID, "name": &n.Pod, "workload": &n.Workload, "clusterID": &n.ClusterID} {
		if *at, err = textOf(ctx, p, field); err != nil {
			return n, err
		}
	}
	return n, nil
}
