package ztunnel

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// connections reads workloadState: an object a connection, with the workload
// it belongs to; those into a workload before those out of it.
func (p *Proxy) connections(ctx context.Context, doc *decode.Document) (any, error) {
	v, err := member(ctx, doc, "workloadState", &decode.Node{All: true})
	if err == nil && v == nil {
		err = lacking("workloadState")
	}
	if err != nil {
		return nil, err
	}
	states := objects(v)
	slices.SortStableFunc(states, func(a, b map[string]any) int {
		x, y := info(a), info(b)
		return cmp.Or(byText(x, y, "namespace"), byText(x, y, "name"))
	})
	out := []any{}
	for _, state := range states {
		of := info(state)
		both, _ := state["connections"].(map[string]any)
		for _, direction := range []string{"inbound", "outbound"} {
			for _, c := range objects(both[direction]) {
				c = maps.Clone(c)
				c["workload"] = text(of["name"]) + "." + text(of["namespace"])
				c["direction"] = direction
				out = append(out, mesh.NewObject("Connection", p.Owner, c))
			}
		}
	}
	return out, nil
}

func info(state map[string]any) map[string]any {
	m, _ := state["info"].(map[string]any)
	return m
}

func sorted(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }
