package istiod

import (
	"context"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// Read reads an istiod's answer for a field of a Pilot, such as "config". The debug
// endpoint of each field is listed in [Endpoints]. Names in
// the answer stay as istiod writes them, either Go field names or JSON names. The
// objects of "config" have their Kubernetes kinds.
func Read(ctx context.Context, field string, doc *decode.Document, shape decode.Shape) (any, error) {
	if field != "config" {
		return doc.Pass(ctx, 0, -1, shape, &decode.Node{Shallow: true}, nil)
	}
	v, err := doc.Pass(ctx, 0, -1, shape, &decode.Node{Shallow: true, Elem: &decode.Node{Shallow: true}}, nil)
	if err != nil {
		return nil, err
	}
	items, ok := v.([]any)
	if !ok {
		return []any{}, nil // istiod writes null in place of an empty list
	}
	for i, item := range items {
		if m, ok := item.(*object.Object); ok && m.Text("kind") != "" {
			items[i] = mesh.NewObject(m.Text("kind"), nil, m)
		}
	}
	return items, nil
}

// Version returns istiod's version from the body of /version, which has the form
// "1.31.0-<revision>-Clean". It returns "" if istiod was built without a version.
func Version(body string) string {
	parts := strings.Split(strings.TrimSpace(body), "-")
	if n := len(parts); n > 2 {
		parts = parts[:n-2]
	}
	if v := strings.Join(parts, "-"); v != "unknown" {
		return v
	}
	return ""
}
