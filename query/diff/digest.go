package diff

import (
	"context"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

type foreignDigests struct{}

// WithForeignDigests returns a context in which a digest equals any other text.
// The digests of the two sides have different keys, so they differ even if the
// texts are the same. Digests are shown as masked secrets. seen is called for
// each value that contains a digest.
func WithForeignDigests(ctx context.Context, seen func()) context.Context {
	return context.WithValue(ctx, foreignDigests{}, seen)
}

// maskDigests masks the digests in a settled value if the context is one of
// [WithForeignDigests]. It returns the same value if there are none.
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
		// Several digests become the same name, since they can't be matched.
		member: func(key string, _ any) (string, any, bool) { return withoutDigest(key), nil, false },
	}.value(v)
	if !isSame(out, v) {
		seen()
	}
	return out
}
