package kube

import (
	"context"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
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
func items(v any, list List) func(yield func(*object.Object) bool) {
	return func(yield func(*object.Object) bool) {
		m, _ := v.(*object.Object)
		all, _ := m.Get("items").([]any)
		for _, item := range all {
			o, ok := item.(*object.Object)
			if !ok || !list.holds(o) {
				continue
			}
			if o.Get("apiVersion") == nil && m.Get("apiVersion") != nil {
				o.Set("apiVersion", m.Get("apiVersion"))
			}
			if !yield(o) {
				return
			}
		}
	}
}

// holds tells whether an object is of the resource. One that doesn't say what
// it is is taken at the list's word.
func (l List) holds(o *object.Object) bool {
	if kind := text(o.Get("kind")); kind != "" && kind != l.Kind {
		return false
	}
	_, group, _ := strings.Cut(l.Resource, ".")
	version := text(o.Get("apiVersion"))
	of, _, grouped := strings.Cut(version, "/")
	return version == "" || group == "" && !grouped || of == group
}

// key orders objects by namespace and name. No name has a NUL.
func key(o *object.Object) string {
	meta, _ := o.Get("metadata").(*object.Object)
	return text(meta.Get("namespace")) + "\x00" + text(meta.Get("name"))
}

func text(v any) string {
	s, _ := v.(string)
	return s
}
