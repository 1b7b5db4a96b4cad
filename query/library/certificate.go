package library

import (
	"context"

	"github.com/meshq/kubectl-meshq/query/library/routing"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// certified notes that a client shows no certificate where a filter chain that
// speaks TLS asks for none: it has nothing to hold one against.
func certified(ctx context.Context, chain any, r *routing.Request) error {
	v := chain
	for _, key := range []string{"transportSocket", "typedConfig"} {
		var err error
		if v, err = mesh.Get(ctx, v, key); err != nil || v == nil {
			return err
		}
	}
	required, err := mesh.Get(ctx, v, "requireClientCertificate")
	if err != nil || required == true {
		return err
	}
	common, err := get[map[string]any](ctx, v, "commonTlsContext")
	if err != nil || common == nil {
		return err
	}
	r.NoCertificate = r.NoCertificate || common["validationContext"] == nil && common["validationContextSdsSecretConfig"] == nil && common["combinedValidationContext"] == nil
	return nil
}
