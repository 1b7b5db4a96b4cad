package library

import (
	"context"

	"github.com/meshq/kubectl-meshq/query/library/routing"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// certified notes that a client shows no certificate where a filter chain that
// speaks TLS asks for none: it has nothing to hold one against. refused tells
// that it takes no client without one, and this one has none.
func certified(ctx context.Context, chain any, r *routing.Request) (refused bool, err error) {
	v := chain
	for _, key := range []string{"transportSocket", "typedConfig"} {
		if v, err = mesh.Get(ctx, v, key); err != nil || v == nil {
			return false, err
		}
	}
	required, err := mesh.Get(ctx, v, "requireClientCertificate")
	if err != nil {
		return false, err
	}
	if required == true {
		return r.TLS && r.NoCertificate, nil
	}
	common, err := get[map[string]any](ctx, v, "commonTlsContext")
	if err != nil || common == nil {
		return false, err
	}
	r.NoCertificate = r.NoCertificate || common["validationContext"] == nil && common["validationContextSdsSecretConfig"] == nil && common["combinedValidationContext"] == nil
	return false, nil
}
