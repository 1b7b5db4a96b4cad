package diff

import (
	"context"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

type foreignDigests struct{}

// WithForeignDigests gives a context in which digests are compared with
// nothing: those of the two sides are of different keys, so that they differ
// where the texts don't. Each is shown as Envoy shows a secret. seen is called
// when there is one.
func WithForeignDigests(ctx context.Context, seen func()) context.Context {
	return context.WithValue(ctx, foreignDigests{}, seen)
}

// undigested gives a settled value without digests, in a context of foreign
// ones: the same value where it has none.
func undigested(ctx context.Context, v any) any {
	seen, foreign := ctx.Value(foreignDigests{}).(func())
	if !foreign || !hasDigest(v) {
		return v
	}
	seen()
	return withoutDigests(v)
}

func hasDigest(v any) bool {
	switch x := v.(type) {
	case string:
		return mesh.IsDigest(x)
	case []any:
		for _, e := range x {
			if hasDigest(e) {
				return true
			}
		}
	case *object.Object:
		for key, e := range x.All() {
			if mesh.IsDigest(key) || hasDigest(e) {
				return true
			}
		}
	}
	return false
}

func withoutDigests(v any) any {
	switch x := v.(type) {
	case string:
		if mesh.IsDigest(x) {
			return mesh.Redacted
		}
	case []any:
		out := make([]any, len(x))
		for i, e := range x {
			out[i] = withoutDigests(e)
		}
		return out
	case *object.Object:
		out := object.New(x.Len())
		for key, e := range x.All() {
			if mesh.IsDigest(key) { // several become one: which is which can't be told
				key = mesh.Redacted
			}
			out.Set(key, withoutDigests(e))
		}
		return out
	}
	return v
}
