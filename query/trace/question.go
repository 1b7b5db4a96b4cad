package trace

import (
	"context"
	"fmt"

	"github.com/meshq/kubectl-meshq/query/request"
	"github.com/meshq/kubectl-meshq/query/routing"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// question is the argument of trace: a request and its origin.
type question struct {
	routing.Request
	from    string // a proxy's name, or an address
	inbound bool   // whether the request arrives at the proxy's workload
	through throughMode
	// hasCertificate reports whether the client presents a certificate. It may be
	// true although the client's identity isn't known.
	hasCertificate bool
}

// throughMode says whether a trace continues in the proxies of the endpoints.
type throughMode int

const (
	throughTunnels throughMode = iota // where a tunnel says which proxy is next, and always from a workload
	throughAll
	justHere
)

// parseQuestion parses a request as [request.Parse] does. An object may also have the
// members from, direction and through.
func parseQuestion(ctx context.Context, v any) (q question, err error) {
	v, err = mesh.Deep(ctx, v)
	if err != nil {
		return q, err
	}
	m, ok := v.(*object.Object)
	if !ok {
		q.Request, err = request.Parse(ctx, v)
		return q, err
	}
	m = m.Clone()
	for name, set := range map[string]func(any) bool{
		"from": func(v any) (ok bool) { q.from, ok = v.(string); return ok },
		"through": func(v any) bool {
			b, ok := v.(bool)
			if q.through = justHere; b {
				q.through = throughAll
			}
			return ok
		},
		"direction": func(v any) bool {
			q.inbound = v == "inbound"
			return q.inbound || v == "outbound"
		},
	} {
		if m.Get(name) != nil && !set(m.Get(name)) {
			return q, fmt.Errorf("a request's %s can't be %v", name, m.Get(name))
		}
		m.Delete(name)
	}
	q.Request, err = request.FromObject(m)
	return q, err
}
