package library

import (
	"context"
	"fmt"

	"github.com/meshq/kubectl-meshq/query/eval"
	"github.com/meshq/kubectl-meshq/query/routing"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

func matchNatives(d Doors) []eval.Native {
	m := &matcher{cache: &routing.Cache{}}
	t := &tracer{matcher: m, doors: d}
	return []eval.Native{{Name: "_match", Arity: 1, Each: m.match}, {Name: "_trace", Arity: 1, Each: t.trace}, {Name: "_unreachable", Each: unreachable}, {Name: "_shadows", Each: shadows}}
}

// matcher is match(request) for the kinds that Envoy routes by.
type matcher struct{ cache *routing.Cache }

func (m *matcher) match(c *eval.Call, yield func(any) error) error {
	r, err := parseRequest(c.Ctx, c.Args[0])
	if err != nil {
		return err
	}
	all, isArray, err := elements(c.Ctx, c.In)
	if err != nil {
		return err
	}
	if !isArray {
		return m.one(c, c.In, r, yield)
	}
	if hosts, err := onlyHosts(c.Ctx, all); err != nil {
		return err
	} else if hosts && r.Host != "" { // one of them has the host
		all = []any{mesh.NewObject("RouteConfiguration", ownerOf(all[0]), object.Of("virtualHosts", all))}
	}
	for _, v := range all {
		if err := m.one(c, v, r, yield); err != nil {
			return err
		}
	}
	return nil
}

// onlyHosts tells whether an array is of virtual hosts.
func onlyHosts(ctx context.Context, all []any) (bool, error) {
	for _, v := range all {
		if kind, err := kindOf(ctx, v); err != nil || kind != "VirtualHost" {
			return false, err
		}
	}
	return len(all) > 0, nil
}

// ownerOf is whose a value of the document is; nil for one of nobody's.
func ownerOf(v any) *mesh.Object {
	if o, ok := v.(*mesh.Object); ok {
		return o.Owner
	}
	return nil
}

func (m *matcher) one(c *eval.Call, v any, r routing.Request, yield func(any) error) error {
	kind, err := kindOf(c.Ctx, v)
	if err != nil {
		return err
	}
	var a *routing.Answer
	switch kind {
	case "RouteConfiguration":
		a, err = routing.Configuration(c.Ctx, m.cache, v, routing.HCM{Envoy: envoyOf(c.Ctx, v)}, r)
	case "VirtualHost":
		a, err = routing.Host(c.Ctx, m.cache, v, routing.HCM{Envoy: envoyOf(c.Ctx, v)}, r)
	case "Listener":
		a, err = m.listener(c, v, r)
	default:
		return fmt.Errorf("match takes a route configuration, a virtual host or a listener, not %v", kind)
	}
	if err != nil || a == nil || a.Status == 404 && len(a.Unsupported) == 0 {
		return err
	}
	out, err := matched(c, a)
	if err != nil {
		return err
	}
	return yield(out)
}

// matched is the answer as a value of the document: the route entry as Envoy
// holds it, and what follows from it.
func matched(c *eval.Call, a *routing.Answer) (any, error) {
	out := object.New(0)
	v, err := mesh.Force(c.Ctx, a.Route)
	if err != nil {
		return nil, err
	}
	if entry, ok := v.(*object.Object); ok {
		for k, w := range entry.All() {
			out.Set(k, w)
		}
	}
	out.Set("virtualHost", orNull(a.VirtualHost))
	out.Set("clusters", shares(a))
	out.Set("cluster", orNull(a.Cluster))
	out.Set("url", orNull(a.URL))
	out.Set("directStatus", nil)
	out.Set("redirectTo", nil)
	if a.DirectStatus != 0 { // a direct response may be a 404 too
		out.Set("directStatus", a.DirectStatus)
	} else if a.Status != 0 && a.Status != 404 {
		out.Set("directStatus", a.Status)
	}
	if a.RedirectStatus != 0 {
		out.Set("redirectTo", object.Of("status", a.RedirectStatus, "location", a.RedirectTo))
	}
	unsupported := []any{}
	for _, u := range a.Unsupported {
		unsupported = append(unsupported, u)
	}
	out.Set("unsupported", unsupported)
	var limits *routing.Limits
	if len(a.Clusters) > 0 {
		l, err := a.Limits()
		if err != nil {
			return nil, err
		}
		limits = &l
	}
	limited(out, limits)
	if _, ok := out.Lookup("virtualService"); !ok {
		out.Set("virtualService", nil)
	}
	return mesh.NewObject("RouteMatch", ownerOf(a.Route), out), nil
}

// limited adds what a route says of a request beside where it goes. What is
// not forwarded has none of it.
func limited(out *object.Object, l *routing.Limits) {
	copies := []any{}
	out.Set("timeout", nil)
	out.Set("retries", nil)
	out.Set("mirrors", copies)
	if l == nil {
		return
	}
	for _, m := range l.Mirrors {
		copies = append(copies, object.Of("cluster", orNull(m.Cluster), "share", m.Share))
	}
	out.Set("timeout", l.Timeout)
	out.Set("mirrors", copies)
	if r := l.Retries; r != nil {
		retries := object.Of("attempts", r.Attempts, "on", r.On, "perTryTimeout", nil)
		if r.PerTry > 0 {
			retries.Set("perTryTimeout", r.PerTry)
		}
		out.Set("retries", retries)
	}
}

func shares(a *routing.Answer) []any {
	out := []any{}
	for _, s := range a.Clusters {
		out = append(out, object.Of("name", s.Name, "share", s.Share))
	}
	return out
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}
