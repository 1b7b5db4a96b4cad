package document

import (
	"context"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// Kind returns the kind of an object of the document, such as "Proxy". It returns an
// empty string for any other value. If the kind is known in advance, the object is not
// loaded.
func Kind(ctx context.Context, v any) (string, error) {
	if o, ok := v.(*mesh.Object); ok {
		return o.Kind, nil
	}
	r := NewReader(ctx)
	return r.Text(v, "kind"), r.Err
}

// Elements returns the elements of an array or of a section, which it loads. isArray is
// false for any other value; an object is not loaded.
func Elements(ctx context.Context, v any) (all []any, isArray bool, err error) {
	if _, ok := v.(*mesh.Object); ok {
		return nil, false, nil
	}
	w, err := mesh.Force(ctx, v)
	all, isArray = w.([]any)
	return all, isArray, err
}

// TypeName returns the JSON type of a value with its article, such as "a string", for an
// error message.
func TypeName(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case string:
		return "a string"
	case []any:
		return "an array"
	case *object.Object:
		return "an object"
	}
	return "a number"
}
