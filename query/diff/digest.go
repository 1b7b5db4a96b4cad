package diff

import (
	"context"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

type foreignDigests struct{}

// WithForeignDigests returns a context in which a digest equals any other text. It
// is for two sides whose digests have different keys, so that the digests of the
// same text differ. Digests are shown as masked secrets. seen is called for each
// value that contains a digest.
func WithForeignDigests(ctx context.Context, seen func()) context.Context {
	return context.WithValue(ctx, foreignDigests{}, seen)
}

// maskDigests masks the digests in a settled value if the context was returned by
// [WithForeignDigests]. It returns the value itself if it has no digests.
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
		// Several member names with digests become the same name, since they can't
		// be matched.
		member: func(key string, _ any) (string, any, bool) { return withoutDigest(key), nil, false },
	}.value(v)
	if !isSame(out, v) {
		seen()
	}
	return out
}
