package trace

import (
	"cmp"
	"context"
	"fmt"

	"github.com/meshq/kubectl-meshq/query/document"
	"github.com/meshq/kubectl-meshq/query/eval"
	"github.com/meshq/kubectl-meshq/query/request"
	"github.com/meshq/kubectl-meshq/query/routing"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// Tracer implements match and trace of the query language. It keeps compiled
// expressions and tables of names for the length of a run, and may be used by
// several goroutines.
type Tracer struct {
	document func() any
	cache    routing.Cache
	services serviceTable
}

// New returns a Tracer. The function mesh returns the mesh that the proxies belong
// to, or nil if there is only a proxy.
func New(mesh func() any) *Tracer { return &Tracer{document: mesh} }

// Match implements match(request) for route configurations, virtual hosts and
// listeners, and for arrays of them. It yields a RouteMatch for each one whose
// response isn't 404.
func (t *Tracer) Match(c *eval.Call, yield func(any) error) error {
	r, err := request.Parse(c.Ctx, c.Args[0])
	if err != nil {
		return err
	}
	all, isArray, err := inputs(c)
	if err != nil {
		return err
	}
	if hosts, err := areVirtualHosts(c.Ctx, all); err != nil {
		return err
	} else if isArray && hosts && r.Host != "" { // Envoy chooses one virtual host of the array by the request's host
		all = []any{mesh.NewObject("RouteConfiguration", ownerOf(all[0]), object.Of("virtualHosts", all))}
	}
	for _, v := range all {
		if err := t.match(c.Ctx, v, r, yield); err != nil {
			return err
		}
	}
	return nil
}

// inputs returns the elements of a call's input if it is an array, or else the
// input itself.
func inputs(c *eval.Call) (all []any, isArray bool, err error) {
	if all, isArray, err = document.Elements(c.Ctx, c.In); !isArray {
		all = []any{c.In}
	}
	return all, isArray, err
}

func areVirtualHosts(ctx context.Context, all []any) (bool, error) {
	for _, v := range all {
		if kind, err := document.Kind(ctx, v); err != nil || kind != "VirtualHost" {
			return false, err
		}
	}
	return len(all) > 0, nil
}

func (t *Tracer) match(ctx context.Context, v any, r routing.Request, yield func(any) error) error {
	kind, err := document.Kind(ctx, v)
	if err != nil {
		return err
	}
	var a *routing.Answer
	switch kind {
	case "RouteConfiguration":
		a, err = routing.Configuration(ctx, &t.cache, v, routing.HCM{Envoy: envoyOf(ctx, v)}, r)
	case "VirtualHost":
		a, err = routing.Host(ctx, &t.cache, v, routing.HCM{Envoy: envoyOf(ctx, v)}, r)
	case "Listener":
		a, err = t.matchListener(ctx, v, r)
	default:
		return fmt.Errorf("match takes a route configuration, a virtual host or a listener, not %s", cmp.Or(kind, "a value without a kind"))
	}
	if err != nil || a == nil || a.Status == 404 && len(a.Unsupported) == 0 {
		return err
	}
	out, err := routeMatch(ctx, a)
	if err != nil {
		return err
	}
	return yield(out)
}

// matchListener finds the route that a request takes at a listener: through the
// filter chain that accepts the connection, its HTTP connection manager, and the
// route configuration of that connection manager. The answer is nil if the
// connection is closed or no route configuration applies.
func (t *Tracer) matchListener(ctx context.Context, l any, r routing.Request) (*routing.Answer, error) {
	read := document.NewReader(ctx)
	if port := read.Number(l, "port"); r.DestinationPort == 0 {
		r.DestinationPort = port
	}
	if read.Err != nil {
		return nil, read.Err
	}
	taken, err := routing.Chain(ctx, &t.cache, envoyOf(ctx, l), l, r, routing.Seen{})
	if err != nil {
		return nil, err
	}
	if taken.Unsupported != "" {
		return &routing.Answer{Unsupported: []string{taken.Unsupported}}, nil
	}
	hcm, other := connectionManager(read, taken.Chain)
	if read.Err != nil || taken.Chain == nil {
		return nil, read.Err
	}
	if refused, _, err := checkClientCertificate(ctx, taken.Chain, &r); err != nil || refused {
		return nil, err
	}
	if hcm.Fields == nil {
		return &routing.Answer{Unsupported: []string{"no HTTP: " + other}}, nil
	}
	at, err := t.routesOf(l, hcm, r)
	if err != nil {
		return nil, err
	}
	if at.configuration == nil {
		if at.unsupported == "" { // no scope matches the request's key, so no route matches
			return nil, nil
		}
		return &routing.Answer{Unsupported: []string{at.unsupported}}, nil
	}
	m, err := managerOf(l, hcm, r)
	if err != nil {
		return nil, err
	}
	return routing.Configuration(ctx, &t.cache, at.configuration, m, r)
}

// routeMatch returns a RouteMatch: the fields of the route entry, and what Envoy
// does with the request.
func routeMatch(ctx context.Context, a *routing.Answer) (any, error) {
	r := document.NewReader(ctx)
	out := merged(r.Object(a.Route))
	if r.Err != nil {
		return nil, r.Err
	}
	shares := []any{}
	for _, s := range a.Clusters {
		shares = append(shares, object.Of("name", s.Name, "share", s.Share))
	}
	out.Set("virtualHost", orNull(a.VirtualHost))
	out.Set("clusters", shares)
	out.Set("cluster", orNull(a.Cluster))
	out.Set("url", orNull(a.URL))
	out.Set("directStatus", nil)
	out.Set("redirectTo", nil)
	if a.DirectStatus != 0 { // a direct response may also have the status 404
		out.Set("directStatus", a.DirectStatus)
	} else if a.Status != 0 && a.Status != 404 {
		out.Set("directStatus", a.Status)
	}
	if a.RedirectStatus != 0 {
		out.Set("redirectTo", object.Of("status", a.RedirectStatus, "location", a.RedirectTo))
	}
	out.Set("unsupported", toAny(a.Unsupported))
	var limits *routing.Limits
	if len(a.Clusters) > 0 {
		l, err := a.Limits()
		if err != nil {
			return nil, err
		}
		limits = &l
	}
	setLimits(out, limits)
	if !out.Has("virtualService") {
		out.Set("virtualService", nil)
	}
	return mesh.NewObject("RouteMatch", ownerOf(a.Route), out), nil
}

// setLimits sets the timeout, retries and mirrors of a route. l is nil for a
// request that isn't forwarded, which has no limits.
func setLimits(out *object.Object, l *routing.Limits) {
	mirrors := []any{}
	out.Set("timeout", nil)
	out.Set("retries", nil)
	if l != nil {
		for _, m := range l.Mirrors {
			mirrors = append(mirrors, object.Of("cluster", orNull(m.Cluster), "share", m.Share))
		}
		out.Set("timeout", l.Timeout)
	}
	out.Set("mirrors", mirrors)
	if l == nil || l.Retries == nil {
		return
	}
	r := l.Retries
	retries := object.Of("attempts", r.Attempts, "on", r.On, "perTryTimeout", nil)
	if r.PerTry > 0 {
		retries.Set("perTryTimeout", r.PerTry)
	}
	out.Set("retries", retries)
}

// Shadows implements _shadows. For each route of an array that no request reaches,
// it yields [i, by]: the indexes of that route and of an earlier route that takes
// all its requests.
func Shadows(c *eval.Call, yield func(any) error) error {
	routes, _, err := document.Elements(c.Ctx, c.In)
	if err != nil {
		return err
	}
	for i, route := range routes {
		by, err := routing.Shadow(c.Ctx, routes[:i], route)
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
