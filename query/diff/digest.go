package diff

import (
	"context"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

type foreignDigests struct{}

// WithForeignDigests returns a context in which a digest (a hash that replaces a secret)
// equals any other text. It is meant for two sides whose digests were computed with
// different keys, so that equal texts have different digests. Digests are then shown as
// masked secrets. seen is called for each value that contains a digest.
func WithForeignDigests(ctx context.Context, seen func()) context.Context {
	return context.WithValue(ctx, foreignDigests{}, seen)
}

// maskDigests masks the digests in a value if the context was returned by
// [WithForeignDigests]. If the value has no digests, the value itself is returned.
func maskDigests(ctx context.Context, v any) any {
	seen, foreign := ctx.Value(foreignDigests{}).(func())
	if !foreign {
		return v
	}
	withoutDigest := func(s string) string {
		if mesh.IsDigest(s) {
			return mesh.Redacted
		}
		return s
	}
	out := rewriting{
		text: withoutDigest,
		// All member names with digests become the same name, because they can't be
		// matched.
		member: func(key string, _ any) (string, any, bool) { return withoutDigest(key), nil, false },
	}.value(v)
	if !isSame(out, v) {
		seen()
	}
	return out
}
