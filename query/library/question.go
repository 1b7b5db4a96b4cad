package library

import (
	"context"
	"fmt"

	"github.com/meshq/kubectl-meshq/query/routing"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// question is what trace is asked: a request, and where it comes from.
type question struct {
	routing.Request
	from    string // a proxy, or an address
	inbound bool   // it comes to the proxy's workload
	through bool   // it is followed into the proxies of its endpoints
	shows   bool   // the client shows a certificate, whomever it is for
}

// parseQuestion reads what match takes, and of an object also from, direction
// and through.
func parseQuestion(ctx context.Context, v any) (q question, err error) {
	v, err = mesh.Deep(ctx, v)
	if err != nil {
		return q, err
	}
	m, ok := v.(*object.Object)
	if !ok {
		q.Request, err = parseRequest(ctx, v)
		return q, err
	}
	m = m.Clone()
	for name, set := range map[string]func(any) bool{
		"from":    func(v any) bool { return into(&q.from, v) },
		"through": func(v any) bool { b, ok := v.(bool); q.through = b; return ok },
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
	q.Request, err = requestObject(m)
	return q, err
}
