package library

import (
	"context"
	"errors"
	"fmt"

	"github.com/meshq/kubectl-meshq/query/eval"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// Doors are what the library asks of the world when a query calls for it by
// name. A nil door means that it can't be had here.
type Doors struct {
	// Desired gives what Pilot would send to a proxy: an object with lazy
	// clusters, listeners, routes, endpoints, secrets and extensions.
	Desired func(ctx context.Context, proxy *mesh.Object) (*mesh.Object, error)

	// Document gives the mesh that the proxies are of.
	Document func() any
}

func desiredNatives(d Doors) []eval.Native {
	return []eval.Native{{Name: "_desired", Value: func(c *eval.Call) (any, error) {
		o, ok := c.In.(*mesh.Object)
		if !ok || o.Kind != "Proxy" {
			return nil, fmt.Errorf("desired is asked of a proxy")
		}
		if d.Desired == nil {
			return nil, errors.New("desired: there is no Pilot to ask")
		}
		return d.Desired(c.Ctx, o)
	}}}
}
