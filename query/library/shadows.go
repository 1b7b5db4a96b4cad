package library

import (
	"github.com/meshq/kubectl-meshq/query/eval"
	"github.com/meshq/kubectl-meshq/query/routing"
)

// shadows gives [i, by] for each of the routes of a virtual host that no
// request reaches: the one at by, ahead of it, takes all that it would.
func shadows(c *eval.Call, yield func(any) error) error {
	routes, _, err := elements(c.Ctx, c.In)
	if err != nil {
		return err
	}
	for i, route := range routes {
		by, err := routing.ShadowIndex(c.Ctx, routes[:i], route)
		if err != nil {
			return err
		}
		if by < 0 {
			continue
		}
		if err := yield([]any{i, by}); err != nil {
			return err
		}
	}
	return nil
}
