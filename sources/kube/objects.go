package kube

import (
	"context"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

var whole = &decode.Node{All: true}

// listNode reads a list by its items.
func listNode(item *decode.Node) *decode.Node {
	return &decode.Node{Fields: []decode.Field{
		{Name: "apiVersion", Node: whole},
		{Name: "items", Node: &decode.Node{Elem: item}},
	}}
}

var objectsNode = listNode(&decode.Node{Shallow: true, Fields: []decode.Field{
	{Name: "metadata", Node: &decode.Node{Shallow: true}},
}})

// Objects reads a list of a resource, in any form of a list: the API server's
// own (whose items don't say what they are) or kubectl's, which may hold other
// kinds beside the one wanted. The objects are as Kubernetes gives them, in
// the order of namespace and name; each is there once. shape is that of the list.
func Objects(ctx context.Context, list List, doc *decode.Document, shape decode.Shape) ([]any, error) {
	v, err := doc.Pass(ctx, 0, -1, shape, objectsNode, nil)
	if err != nil {
		return nil, err
	}
	type found struct {
		key    string
		object any
	}
	var all []found
	for m := range items(v, list) {
		all = append(all, found{key(m), mesh.NewObject(list.Kind, nil, m)})
	}
	slices.SortStableFunc(all, func(a, b found) int { return strings.Compare(a.key, b.key) })
	all = slices.CompactFunc(all, func(a, b found) bool { return a.key == b.key })
	out := make([]any, len(all))
	for i, f := range all {
		out[i] = f.object
	}
	return out, nil
}

// items gives the items of a decoded list that are of the wanted resource.
func items(v any, list List) func(yield func(map[string]any) bool) {
	return func(yield func(map[string]any) bool) {
		m, _ := v.(map[string]any)
		all, _ := m["items"].([]any)
		for _, item := range all {
			o, ok := item.(map[string]any)
			if !ok || !list.holds(o) {
				continue
			}
			if o["apiVersion"] == nil && m["apiVersion"] != nil {
				o["apiVersion"] = m["apiVersion"]
			}
			if !yield(o) {
				return
			}
		}
	}
}

// holds tells whether an object is of the resource. One that doesn't say what
// it is is taken at the list's word.
func (l List) holds(o map[string]any) bool {
	if kind := text(o["kind"]); kind != "" && kind != l.Kind {
		return false
	}
	_, group, _ := strings.Cut(l.Resource, ".")
	version := text(o["apiVersion"])
	of, _, grouped := strings.Cut(version, "/")
	return version == "" || group == "" && !grouped || of == group
}

// key orders objects by namespace and name. No name has a NUL.
func key(o map[string]any) string {
	meta, _ := o["metadata"].(map[string]any)
	return text(meta["namespace"]) + "\x00" + text(meta["name"])
}

func text(v any) string {
	s, _ := v.(string)
	return s
}
