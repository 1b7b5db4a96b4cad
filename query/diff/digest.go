package diff

import (
	"context"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

type foreignDigests struct{}

// WithForeignDigests returns a context in which a digest equals any other text.
// The digests of the two sides have different keys, so they differ even if the
// texts are the same. Digests are shown as masked secrets. seen is called for
// each value that contains a digest.
func WithForeignDigests(ctx context.Context, seen func()) context.Context {
	return context.WithValue(ctx, foreignDigests{}, seen)
}

// undigested masks the digests in a settled value if the context is one of
// WithForeignDigests. It returns the same value if there are none.
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
			if mesh.IsDigest(key) { // several digests become the same key, since they can't be matched
				key = mesh.Redacted
			}
			out.Set(key, withoutDigests(e))
		}
		return out
	}
	return v
}
