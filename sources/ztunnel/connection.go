package ztunnel

import (
	"cmp"
	"context"
	"slices"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// connections reads workloadState. It returns one object per connection, with the
// workload that it belongs to. Inbound connections of a workload come before its
// outbound ones.
func (p *Proxy) connections(ctx context.Context, doc *decode.Document) (any, error) {
	v, err := member(ctx, doc, "workloadState", &decode.Node{All: true})
	if err == nil && v == nil {
		err = lacking("workloadState")
	}
	if err != nil {
		return nil, err
	}
	states := objects(v)
	slices.SortStableFunc(states, func(a, b *object.Object) int {
		x, y := info(a), info(b)
		return cmp.Or(byText(x, y, "namespace"), byText(x, y, "name"))
	})
	out := []any{}
	for _, state := range states {
		of := info(state)
		both, _ := state.Get("connections").(*object.Object)
		for _, direction := range []string{"inbound", "outbound"} {
			for _, c := range objects(both.Get(direction)) {
				c = c.Clone()
				c.Set("workload", of.Text("name")+"."+of.Text("namespace"))
				c.Set("direction", direction)
				out = append(out, mesh.NewObject("Connection", p.Owner, c))
			}
		}
	}
	return out, nil
}

func info(state *object.Object) *object.Object {
	m, _ := state.Get("info").(*object.Object)
	return m
}

func sorted(m *object.Object) []string { return m.Sorted() }
