package trace

import (
	"strings"

	"github.com/meshq/kubectl-meshq/query/document"
	"github.com/meshq/kubectl-meshq/query/routing"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// enterChain continues the trace in a filter chain: through its network filters to
// the last one, which is the HTTP connection manager or the TCP proxy.
func (w *walk) enterChain(listener, chain any) error {
	r := w.reader()
	filters := r.List(chain, "filters")
	tls, isTLS := downstreamTLS(r, chain)
	hcm, _ := connectionManager(r, chain)
	certificates := certificateSecrets(tls)
	if r.Err != nil {
		return r.Err
	}
	request, hasHCM := w.Request, hcm.Fields != nil
	if isTLS && !request.TLS || hasHCM && request.TLS && !isTLS {
		why := "the chain speaks TLS, the client does not"
		if request.TLS {
			why = "the client speaks TLS, the chain does not"
		}
		w.addStep(step{what: "transport", why: why})
		return w.end(otherTransport)
	}
	if isTLS {
		if has, err := w.checkCertificate(certificates); err != nil {
			return err
		} else if !has {
			return w.end(noCertificate)
		}
	}
	refused, required, err := checkClientCertificate(w.ctx, chain, &request)
	if err != nil {
		return err
	}
	if refused {
		w.addStep(step{what: "transport", why: "the chain requires a client certificate, and this client has none"})
		return w.end(otherTransport)
	}
	if required && request.TLS && request.Principal == "" && !w.hasCertificate {
		w.unsure("the client's certificate (the chain requires one; principal says whose it is)")
	}
	w.request = request
	passed, err := routing.NetworkFilters(w.ctx, &w.registry.tracer.cache, envoyOf(w.ctx, w.proxy), filters, request)
	if err != nil {
		return err
	}
	switch {
	case w.endInFilters(passed, 0):
		return nil
	case !hasHCM:
		return w.enterTCPProxy(filters)
	case request.Scheme == routing.Bytes:
		w.addStep(step{what: "connection manager", why: "the connection does not carry HTTP"})
		w.status = 400
		return w.end(directResponse)
	}
	return w.enterRoutes(listener, hcm)
}

// enterRoutes applies the routes and the HTTP filters of a connection manager to
// the request.
func (w *walk) enterRoutes(listener any, hcm document.Message) error {
	at, err := w.registry.tracer.routesOf(listener, hcm, w.request)
	if err != nil {
		w.addStep(step{what: "route configuration", name: at.name, why: "the routes could not be read"})
		return err
	}
	if at.configuration == nil {
		return w.endNoRoutes(at)
	}
	w.addStep(step{what: "route configuration", name: at.name})
	m, err := managerOf(w.proxy, hcm, w.request)
	if err != nil {
		return err
	}
	a, err := routing.Configuration(w.ctx, &w.registry.tracer.cache, at.configuration, m, w.request)
	if err != nil {
		return err
	}
	w.unsure(a.Unsupported...)
	if a.Undecided != "" {
		w.addStep(step{what: "virtual host", name: a.VirtualHost, why: "which of its routes is chosen depends on " + a.Undecided})
		what, why, _ := strings.Cut(strings.TrimSuffix(a.Undecided, ")"), " (")
		w.addMissing(w.proxy, unknown{what, why + ": try trace --redact-key with the snapshot's key"})
		return w.end(notKnown)
	}
	if err := w.addRouteSteps(a); err != nil {
		return err
	}
	filters, _ := hcm.Value("httpFilters").([]any)
	for _, f := range hcm.List("httpFilters") {
		w.alpn = w.alpn || f.Text("name") == "istio.alpn"
	}
	if hcm.Err != nil {
		return hcm.Err
	}
	passed, err := a.Filters(filters)
	if err != nil {
		return err
	}
	w.cluster, w.url = a.Cluster, a.URL
	if w.endInFilters(passed, 403) {
		w.url = ""
		return nil
	}
	return w.follow(a)
}

// endNoRoutes ends the trace if the route configuration of a connection manager isn't
// found. If the dump has no route configuration at all, the routes are unknown: Envoy
// uses a listener only after it has received the route configuration that the
// listener names, so the dump must be incomplete.
func (w *walk) endNoRoutes(at routesAt) error {
	if at.name != "" {
		r := w.reader()
		all := r.List(w.proxy, "routes")
		if r.Err != nil {
			return r.Err
		}
		if len(all) == 0 {
			w.addStep(step{what: "route configuration", name: at.name, why: "no routes could be read"})
			w.addMissing(w.proxy, unknown{"routes", "no route configuration could be read"})
			return w.end(notKnown)
		}
	}
	w.addStep(step{what: "route configuration", name: at.name, why: "it is not there"})
	w.unsure(strings.TrimPrefix(at.unsupported, "route configuration "+at.name))
	return w.end(noRoute)
}

// addRouteSteps adds steps for the virtual host and the route that Envoy selects, and
// for the routes that almost match the request.
func (w *walk) addRouteSteps(a *routing.Answer) error {
	if a.Host == nil {
		if a.Status == 404 {
			w.addStep(step{what: "virtual host", why: "no domain matches " + w.request.Host})
		}
		return nil
	}
	gateway, why := "", ""
	if w.kind == "router" {
		var err error
		if gateway, err = w.registry.gateway(w.proxy, w.Host, w.DestinationPort, w.servicePort); err != nil {
			return err
		}
	}
	if a.Domain != "" {
		why = "domain " + a.Domain
	}
	w.addStep(step{what: "virtual host", name: a.VirtualHost, why: why, istio: gateway})
	found, err := a.Near()
	if err != nil {
		return err
	}
	r := w.reader()
	near, err := almost(r, found)
	if err != nil {
		return err
	}
	if a.Route == nil {
		if a.Status == 404 {
			w.addStep(step{what: "route", why: "none fits " + w.request.Path, near: near})
		}
		return nil
	}
	name, err := partName(r, a.Route)
	if err != nil {
		return err
	}
	istio, match := istioOrigin(r, a.Route), r.Get(a.Route, "match")
	if r.Err != nil {
		return r.Err
	}
	path, err := routing.PathOf(w.ctx, match)
	if err != nil {
		return err
	}
	w.addStep(step{what: "route", name: name, why: "path " + path, istio: istio, near: near, object: a.Route})
	return nil
}

// follow continues the trace after a route was selected. It either ends the trace with
// an answer from Envoy itself, or continues at the route's clusters.
func (w *walk) follow(a *routing.Answer) error {
	switch {
	case a.Status == 404 && a.Host == nil:
		w.status = 404
		return w.end(noVirtualHost)
	case a.Status == 404:
		w.status = 404
		return w.end(noRoute)
	case a.RedirectStatus != 0:
		w.status, w.redirectTo = a.RedirectStatus, a.RedirectTo
		return w.end(redirected)
	case a.Status != 0:
		w.status = a.Status
		return w.end(directResponse)
	case a.DirectStatus != 0:
		w.status = a.DirectStatus
		if a.VirtualHost == "block_all" { // Istio's virtual host for hosts that are not in the registry
			return w.end(blackHole)
		}
		return w.end(directResponse)
	case len(a.Clusters) == 0:
		return w.end(undecided)
	}
	r := w.reader()
	criteria := endpointMetadata(r, r.Get(a.Route, "route", "metadataMatch"))
	if r.Err != nil {
		return r.Err
	}
	limits, err := a.Limits()
	if err != nil {
		return err
	}
	w.limits = &limits
	w.setForwarded(a.URL)
	if err := w.enterClusters(a.Clusters, a.Cluster, criteria); err != nil || w.reached() {
		return err
	}
	switch w.reason { // no endpoint is reached, so Envoy itself answers
	case notKnown:
	case noCluster:
		w.status = limits.NoCluster
	default:
		w.status = 503
	}
	return nil
}

// setForwarded sets the host and the path of the request to those that Envoy forwards.
func (w *walk) setForwarded(url string) {
	_, rest, ok := strings.Cut(url, "://")
	if !ok {
		w.request.Path = url
		return
	}
	host, _, _ := strings.Cut(rest, "/")
	w.request.Host, w.request.Path = host, rest[len(host):]
}

// endInFilters adds the effects of filters on the request, and returns whether a filter
// answers it. status is the status with which the proxy answers a request that a policy
// denies.
func (w *walk) endInFilters(p *routing.Passed, status int) bool {
	for _, v := range p.Verdicts {
		verdict := "allowed"
		switch {
		case v.Unknown != "":
			verdict = "unknown"
		case v.Denied:
			verdict = "denied"
		}
		w.policies = append(w.policies, object.Of(
			"filter", v.Filter, "action", v.Action, "policy", orNull(v.Policy), "istio", orNull(policyOrigin(v.Policy)),
			"verdict", verdict, "shadow", v.Shadow, "unknown", orNull(v.Unknown),
		))
		if v.Unknown != "" && !v.Shadow {
			w.unsure(v.Filter + ": " + v.Unknown)
			if w.identityFault != nil && v.Unknown == routing.Identity {
				w.isUnreadable(w.identityFault)
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
		w.addStep(step{what: "policy", name: v.Policy, why: why, istio: policyOrigin(v.Policy)})
		w.status, w.reason = status, denied
		return true
	}
	if f := p.Aborted(); f != nil {
		w.addStep(step{what: "fault", why: "every request is aborted"})
		w.status, w.reason = f.Status, aborted
		return true
	}
	return false
}

// These are the names that istiod (1.31: model/authentication.go,
// ambient/authorization.go) gives to the policies of a ztunnel that it makes from
// PeerAuthentications: one for each object with ports of its own, and one for all
// workloads that are STRICT.
const (
	convertedPolicy = "converted_peer_authentication_"
	generatedStrict = "istio_converted_static_strict"
)

// policyOrigin returns the AuthorizationPolicy or PeerAuthentication that an RBAC
// policy was generated from. Istio names such a policy "ns[default]-policy[deny-all]-rule[0]". For any
// other name, policyOrigin returns an empty string.
func policyOrigin(name string) string {
	_, rest, ok := strings.Cut(name, "ns[")
	ns, rest, more := strings.Cut(rest, "]-policy[")
	policy, _, last := strings.Cut(rest, "]")
	if !ok || !more || !last || policy == generatedStrict {
		return ""
	}
	if name, ok := strings.CutPrefix(policy, convertedPolicy); ok {
		return "peer-authentication/" + name + "." + ns
	}
	return "authorization-policy/" + policy + "." + ns
}
