package library

import (
	"strings"

	"github.com/meshq/kubectl-meshq/query/routing"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// chain goes on in a filter chain: through its filters, to what is last.
func (w *walk) chain(listener any, taken routing.Taken) error {
	filters, err := get[[]any](w.ctx, taken.Chain, "filters")
	if err != nil {
		return err
	}
	how, err := downstreamTLS(w.ctx, taken.Chain)
	if err != nil {
		return err
	}
	r, tls := w.Request, how != nil
	hcm, _, err := connectionManager(w.ctx, taken.Chain)
	if err != nil {
		return err
	}
	if tls && !r.TLS || hcm != nil && r.TLS && !tls {
		side := "the chain speaks TLS, the client does not"
		if r.TLS {
			side = "the client speaks TLS, the chain does not"
		}
		w.took(step{what: "transport", why: side})
		return w.end(otherTransport)
	}
	if tls {
		if has, err := w.hasCertificate(how); err != nil {
			return err
		} else if !has {
			return w.end(noCertificate)
		}
	}
	refused, required, err := certified(w.ctx, taken.Chain, &r)
	if err != nil {
		return err
	}
	if refused {
		w.took(step{what: "transport", why: "the chain takes no client without a certificate, and this one has none"})
		return w.end(otherTransport)
	}
	if required && r.TLS && r.Principal == "" && !w.shows {
		w.unsure("the client's certificate (the chain takes no client without one; a principal says whom it is for)")
	}
	w.request = r
	passed, err := routing.NetworkFilters(w.ctx, w.cache, envoyOf(w.ctx, w.proxy), filters, r)
	if err != nil {
		return err
	}
	if w.pass(passed, 0) {
		return nil
	}
	if hcm != nil {
		if r.Scheme == routing.Bytes {
			w.took(step{what: "connection manager", why: "what it is sent is not HTTP"})
			w.status = 400
			return w.end(directResponse)
		}
		return w.http(listener, hcm)
	}
	return w.tcp(filters)
}

// untyped tells of a filter that has its configuration in the form of Envoy up
// to 1.13, without a type: it isn't read.
func (w *walk) untyped(filter any) (bool, error) {
	old, err := mesh.Get(w.ctx, filter, "config")
	if err != nil || old == nil {
		return false, err
	}
	name, err := get[string](w.ctx, filter, "name")
	if err != nil {
		return false, err
	}
	w.missing(w.proxy, doubt{"listeners", "the configuration of filter " + name + " is in the form of Envoy up to 1.13"})
	return true, nil
}

// http decides by a connection manager's routes, and its filters.
func (w *walk) http(listener any, hcm *object.Object) error {
	r := w.request
	at, err := w.routesOf(w.ctx, listener, hcm, r)
	if err != nil {
		w.took(step{what: "route configuration", name: at.name, why: "the routes could not be read"})
		return err
	}
	if at.configuration == nil && at.name != "" {
		if none, err := w.noRoutes(); err != nil {
			return err
		} else if none {
			w.took(step{what: "route configuration", name: at.name, why: "no routes could be read"})
			w.missing(w.proxy, doubt{"routes", "nothing says what the route configurations are"})
			return w.end(notKnown)
		}
	}
	if at.configuration == nil {
		w.took(step{what: "route configuration", name: at.name, why: "it is not there"})
		w.unsure(strings.TrimPrefix(at.unsupported, "route configuration "+at.name))
		return w.end(noRoute)
	}
	w.took(step{what: "route configuration", name: at.name})
	how, err := hcmOf(w.ctx, w.proxy, hcm, r)
	if err != nil {
		return err
	}
	a, err := routing.Configuration(w.ctx, w.cache, at.configuration, how, r)
	if err != nil {
		return err
	}
	w.unsure(a.Unsupported...)
	if a.Undecided != "" {
		w.took(step{what: "virtual host", name: a.VirtualHost, why: "which of its routes is taken hangs on " + a.Undecided})
		what, why, _ := strings.Cut(strings.TrimSuffix(a.Undecided, ")"), " (")
		w.missing(w.proxy, doubt{what, why + ": trace --redact-key with the snapshot's key may tell"})
		return w.end(notKnown)
	}
	if err := w.told(a); err != nil {
		return err
	}
	filters, _, err := elements(w.ctx, hcm.Get("httpFilters"))
	if err != nil {
		return err
	}
	for _, f := range filters {
		if name, err := get[string](w.ctx, f, "name"); err != nil {
			return err
		} else if name == "istio.alpn" {
			w.alpn = true
		}
	}
	passed, err := a.Filters(filters)
	if err != nil {
		return err
	}
	w.cluster, w.url = a.Cluster, a.URL
	if w.pass(passed, 403) {
		w.url = ""
		return nil
	}
	return w.answered(a)
}

// noRoutes tells whether the proxy has no route configuration at all. A listener
// in use that names one has it: Envoy waits for it, so a dump without any says
// nothing of routes.
func (w *walk) noRoutes() (bool, error) {
	section, err := mesh.Get(w.ctx, w.proxy, "routes")
	if err != nil {
		return false, err
	}
	all, err := forced(w.ctx, section)
	return len(all) == 0, err
}

// told makes the steps of a virtual host and a route.
func (w *walk) told(a *routing.Answer) error {
	if a.Host == nil {
		if a.Status == 404 {
			w.took(step{what: "virtual host", why: "no domain fits " + w.request.Host})
		}
		return nil
	}
	why := "domain " + a.Domain
	if a.Domain == "" {
		why = ""
	}
	gateway, err := w.gateway()
	if err != nil {
		return err
	}
	w.took(step{what: "virtual host", name: a.VirtualHost, why: why, istio: gateway})
	found, err := a.Near()
	if err != nil {
		return err
	}
	near, err := w.almost(found)
	if err != nil {
		return err
	}
	if a.Route == nil {
		if a.Status == 404 {
			w.took(step{what: "route", why: "none fits " + w.request.Path, near: near})
		}
		return nil
	}
	name, err := partName(w.ctx, a.Route)
	if err != nil {
		return err
	}
	match, err := mesh.Get(w.ctx, a.Route, "match")
	if err != nil {
		return err
	}
	path, err := routing.PathOf(w.ctx, match)
	if err != nil {
		return err
	}
	istio, err := w.origin(a.Route)
	if err != nil {
		return err
	}
	w.took(step{what: "route", name: name, why: "path " + path, istio: istio, near: near, object: a.Route})
	return nil
}

// answered goes on with what the routes say.
func (w *walk) answered(a *routing.Answer) error {
	switch {
	case a.Status == 404 && a.Host == nil:
		w.status = 404
		return w.end(noVirtualHost)
	case a.Status == 404:
		w.status = 404
		return w.end(noRoute)
	case a.RedirectStatus != 0:
		w.status, w.to = a.RedirectStatus, a.RedirectTo
		return w.end(redirected)
	case a.Status != 0:
		w.status = a.Status
		return w.end(directResponse)
	case a.DirectStatus != 0:
		w.status = a.DirectStatus
		if a.VirtualHost == "block_all" { // where Istio sends what the registry doesn't have
			return w.end(blackHole)
		}
		return w.end(directResponse)
	}
	if len(a.Clusters) == 0 {
		return w.end(undecided)
	}
	action, err := mesh.Get(w.ctx, a.Route, "route")
	if err != nil {
		return err
	}
	criteria, err := metadataOf(w.ctx, action)
	if err != nil {
		return err
	}
	limits, err := a.Limits()
	if err != nil {
		return err
	}
	w.limits = &limits
	w.forwards(a.URL)
	if err := w.toClusters(a.Clusters, a.Cluster, criteria); err != nil || w.reached() {
		return err
	}
	switch w.reason { // what Envoy answers in the endpoints' stead
	case notKnown:
	case noCluster:
		w.status = limits.NoCluster
	default:
		w.status = 503
	}
	return nil
}

// forwards keeps the request as it is sent on.
func (w *walk) forwards(url string) {
	_, rest, ok := strings.Cut(url, "://")
	if !ok {
		w.request.Path = url
		return
	}
	i := strings.IndexByte(rest, '/')
	if i < 0 {
		i = len(rest)
	}
	w.request.Host, w.request.Path = rest[:i], rest[i:]
}

// pass notes what filters do, and tells whether they end the request.
func (w *walk) pass(p *routing.Passed, status int) bool {
	for _, v := range p.Verdicts {
		m := object.Of(
			"filter", v.Filter, "action", v.Action, "policy", orNull(v.Policy), "istio", orNull(policyName(v.Policy)),
			"verdict", "allowed", "shadow", v.Shadow, "unknown", orNull(v.Unknown),
		)
		switch {
		case v.Unknown != "":
			m.Set("verdict", "unknown")
		case v.Denied:
			m.Set("verdict", "denied")
		}
		w.policies = append(w.policies, m)
		if v.Unknown != "" && !v.Shadow {
			w.unsure(v.Filter + ": " + v.Unknown)
			if w.anonymous != nil && v.Unknown == routing.Identity {
				w.unread(w.anonymous)
			}
		}
	}
	for _, f := range p.Faults {
		m := object.Of("fault", f.Kind, "share", f.Share, "status", nil, "delay", orNull(f.Delay))
		if f.Status != 0 {
			m.Set("status", f.Status)
		}
		w.faults = append(w.faults, m)
		if f.Kind == "abort" {
			w.aborts = 1 - (1-w.aborts)*(1-f.Share)
		}
	}
	w.unsure(p.Unsupported...)
	if v := p.Denied(); v != nil {
		why := "no policy allows it"
		if v.Action == "DENY" {
			why = "a policy denies it"
		}
		w.took(step{what: "policy", name: v.Policy, why: why, istio: policyName(v.Policy)})
		w.status, w.reason = status, denied
		return true
	}
	if f := p.Aborted(); f != nil {
		w.took(step{what: "fault", why: "every request is aborted"})
		w.status = f.Status
		w.reason = aborted
		return true
	}
	return false
}

// policyName reads "ns[default]-policy[deny-all]-rule[0]", as Istio names the
// policies of an RBAC filter.
func policyName(name string) string {
	_, rest, ok := strings.Cut(name, "ns[")
	ns, rest, more := strings.Cut(rest, "]-policy[")
	policy, _, last := strings.Cut(rest, "]")
	if !ok || !more || !last {
		return ""
	}
	return "authorization-policy/" + policy + "." + ns
}
