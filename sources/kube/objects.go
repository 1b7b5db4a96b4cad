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

// listNode returns the decoder's node for a Kubernetes list. The node item
// decodes each item of the list.
func listNode(item *decode.Node) *decode.Node {
	return &decode.Node{Fields: []decode.Field{
		{Name: "apiVersion", Node: whole},
		{Name: "items", Node: &decode.Node{Elem: item}},
	}}
}

var objectsNode = listNode(&decode.Node{Shallow: true, Fields: []decode.Field{
	{Name: "metadata", Node: &decode.Node{Shallow: true}},
}})

// Objects reads a list of a resource. In a list from the API server, the items
// don't state their kind. A list from kubectl may also contain other kinds. The
// objects are returned unchanged, without duplicates, sorted by namespace and
// name. shape maps the names of the list's fields to those of the document.
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

// items iterates over those items of a decoded list that belong to the resource.
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

// holds reports whether an object belongs to the resource. An object that doesn't
// state its kind has the kind of the list.
func (l List) holds(o *object.Object) bool {
	if kind := o.Text("kind"); kind != "" && kind != l.Kind {
		return false
	}
	_, group, _ := strings.Cut(l.Resource, ".")
	version := o.Text("apiVersion")
	of, _, grouped := strings.Cut(version, "/")
	return version == "" || group == "" && !grouped || of == group
}

// key returns the sort key of an object: its namespace and name. The separator is
// NUL, which neither of them contains.
func key(o *object.Object) string {
	meta, _ := o.Get("metadata").(*object.Object)
	return meta.Text("namespace") + "\x00" + meta.Text("name")
}

func text(v any) string {
	s, _ := v.(string)
	return s
}
