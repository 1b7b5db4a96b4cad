package printers

import (
	"context"
	"maps"
)

// unmanaged leaves metadata.managedFields out of a Kubernetes object, and of
// each item of a list of them. Other values are given back as they are.
func unmanaged(ctx context.Context, v any) (any, error) {
	fields, _ := v.(map[string]any)
	if _, ok := fields["apiVersion"]; !ok {
		return v, nil
	}
	items, _, err := look(ctx, fields["items"])
	if err != nil {
		return nil, err
	}
	if items, ok := items.([]any); ok {
		return unmanagedItems(ctx, fields, items)
	}
	metadata, _, err := look(ctx, fields["metadata"])
	if err != nil {
		return nil, err
	}
	about, _ := metadata.(map[string]any)
	if _, ok := about["managedFields"]; !ok {
		return v, nil
	}
	about, fields = maps.Clone(about), maps.Clone(fields)
	delete(about, "managedFields")
	fields["metadata"] = about
	return fields, nil
}

func unmanagedItems(ctx context.Context, list map[string]any, items []any) (any, error) {
	out := make([]any, len(items))
	for i, v := range items {
		v, _, err := look(ctx, v)
		if err == nil {
			out[i], err = unmanaged(ctx, v)
		}
		if err != nil {
			return nil, err
		}
	}
	list = maps.Clone(list)
	list["items"] = out
	return list, nil
}
