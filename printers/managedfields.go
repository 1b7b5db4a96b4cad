package printers

import (
	"context"

	"github.com/meshq/kubectl-meshq/printers/encode"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// withoutManagedFields removes metadata.managedFields from a Kubernetes object,
// or from each item if the object is a list. It returns any other value
// unchanged.
func withoutManagedFields(ctx context.Context, v any) (any, error) {
	fields, _ := v.(*object.Object)
	if _, ok := fields.Lookup("apiVersion"); !ok {
		return v, nil
	}
	items, _, err := encode.LoadPart(ctx, fields.Get("items"))
	if err != nil {
		return nil, err
	}
	if items, ok := items.([]any); ok {
		return itemsWithoutManagedFields(ctx, fields, items)
	}
	metadata, _, err := encode.LoadPart(ctx, fields.Get("metadata"))
	if err != nil {
		return nil, err
	}
	about, _ := metadata.(*object.Object)
	if _, ok := about.Lookup("managedFields"); !ok {
		return v, nil
	}
	about, fields = about.Clone(), fields.Clone()
	about.Delete("managedFields")
	fields.Set("metadata", about)
	return fields, nil
}

func itemsWithoutManagedFields(ctx context.Context, list *object.Object, items []any) (any, error) {
	out := make([]any, len(items))
	for i, v := range items {
		v, _, err := encode.LoadPart(ctx, v)
		if err == nil {
			out[i], err = withoutManagedFields(ctx, v)
		}
		if err != nil {
			return nil, err
		}
	}
	list = list.Clone()
	list.Set("items", out)
	return list, nil
}
