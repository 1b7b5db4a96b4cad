package routing

import (
	"context"

	"github.com/meshq/kubectl-meshq/query/document"
)

// A routed is a request with the headers that it has when routes are matched.
type routed struct {
	Request
	headers headers
}

// A choice makes the decisions about one request: it selects the virtual host,
// the route and the cluster.
type choice struct {
	matcher
	upgradable    map[string]bool // the protocols to which upgrades are allowed, from HCM.Upgrades
	configuration any             // the route configuration; nil if there is none
}

func newChoice(ctx context.Context, x *Cache, e Envoy) *choice {
	return &choice{matcher: matcher{Reader: document.NewReader(ctx), Cache: x, envoy: e, answer: &Answer{}}}
}

// Configuration decides a request by a route configuration. It selects the virtual
// host and then the first of the host's routes that matches. The answer is a 404
// if no virtual host matches, or if no route in the selected virtual host matches;
// Envoy never tries a second virtual host.
func Configuration(ctx context.Context, x *Cache, routeConfiguration any, m HCM, r Request) (*Answer, error) {
	c := newChoice(ctx, x, m.Envoy)
	c.upgradable = m.Upgrades
	c.configuration = routeConfiguration
	rc := c.Message(routeConfiguration)
	c.ignoreParameters = rc.Flag("ignorePathParametersInPathMatching")
	req, said := c.prepare(m, r)
	if said != nil {
		return c.refused(said), c.Err
	}
	if m.Edge != nil {
		req, c.unknownHeaders = m.Edge.withHeaders(req, rc.Texts("internalOnlyHeaders"))
	}
	c.digests = req.Digests
	to := &routed{req, req.headers()}
	c.answer.choice, c.answer.asked = c, to
	if rc.Has("routeSpecifiers") {
		c.unsupported("route specifiers")
	}
	vh, ok := c.virtualHost(rc, to.headers)
	if !ok && rc.Has("vhds") { // Envoy requests virtual hosts that it doesn't have from istiod
		c.unsupported("virtual hosts on demand")
	}
	if !ok || to.headers.first("x-forwarded-proto") == "" { // Envoy matches no route if x-forwarded-proto is missing
		return c.notFound(), c.Err
	}
	return c.decideInHost(vh, to)
}

// Host decides a request by the routes of one virtual host, ignoring the
// request's host.
func Host(ctx context.Context, x *Cache, virtualHost any, m HCM, r Request) (*Answer, error) {
	c := newChoice(ctx, x, m.Envoy)
	c.upgradable = m.Upgrades
	req, said := c.prepare(m, r)
	if said != nil {
		return c.refused(said), nil
	}
	if m.Edge != nil {
		req, c.unknownHeaders = m.Edge.withHeaders(req, nil)
	}
	c.digests = req.Digests
	return c.decideInHost(virtualHost, &routed{req, req.headers()})
}

// refused returns an answer that the connection manager sends before any route is
// matched. It adds the notes on conditions that could not be decided so far.
func (c *choice) refused(a *Answer) *Answer {
	a.Unsupported = c.answer.Unsupported
	return a
}

// notFound returns the answer for a request that matches no route, which is a
// 404.
func (c *choice) notFound() *Answer {
	c.answer.Status = 404
	return c.answer
}

// decideInHost decides the request by the routes of a virtual host.
func (c *choice) decideInHost(host any, r *routed) (*Answer, error) {
	vh := c.Message(host)
	c.answer.VirtualHost, c.answer.Host = vh.Text("name"), host
	if c.mustBeTLS(vh, r) {
		if !c.allowsUpgrade(c.Message(nil), r) {
			c.answer.Status = 403
			return c.answer, c.Err
		}
		if c.answer.RedirectStatus = 301; r.Method != "CONNECT" { // a CONNECT request has no path, so the answer has no location
			c.answer.RedirectTo = "https://" + r.Host + r.Path
		}
		return c.answer, c.Err
	}
	routes, _ := vh.Value("routes").([]any)
	if vh.Has("matcher") {
		routes = c.routesByTree(vh.Sub("matcher"), r)
		if c.answer.Undecided = c.takeRedacted(); c.answer.Undecided != "" {
			return c.answer, c.Err
		}
	}
	c.answer.choice, c.answer.asked, c.answer.routes = c, r, routes
	for i, route := range routes {
		m := c.Message(route)
		miss := c.firstMiss(m.Sub("match"), r)
		// a redacted value determines whether this route matches or a later one
		if c.Err == nil && miss.kind == byDigest {
			c.answer.Undecided = miss.what
			c.answer.routes = routes[:i]
			return c.answer, c.Err
		}
		if c.Err == nil && miss.kind == fits {
			if m.Has("routeSpecifiers") || vh.Has("routeSpecifiers") {
				c.unsupported("route specifiers")
			}
			c.answer.Route, c.answer.routes = route, routes[:i]
			if !c.allowsUpgrade(m.Sub("route"), r) {
				c.answer.Status = 403
				return c.answer, c.Err
			}
			c.applyAction(m, r)
			return c.answer, c.Err
		}
	}
	return c.notFound(), c.Err
}

// routesByTree returns the routes that a virtual host's matcher tree selects.
// Envoy doesn't try any other routes.
func (c *choice) routesByTree(tree document.Message, r *routed) []any {
	action := c.evaluateTree(tree, r)
	if action.Fields == nil {
		return nil
	}
	config := action.Sub("typedConfig")
	if routes, ok := config.Value("routes").([]any); ok { // the action is a list of routes
		return routes
	}
	return []any{action.Value("typedConfig")}
}

// allowsUpgrade reports whether Envoy allows the upgrade that the request asks
// for. It returns true for a request without an upgrade. The route's
// upgradeConfigs take precedence over those of the connection manager.
func (c *choice) allowsUpgrade(action document.Message, r *routed) bool {
	kind := r.upgrade()
	if kind == "" || c.upgradable == nil {
		return true
	}
	for _, u := range action.List("upgradeConfigs") {
		if asciiLower(u.Text("upgradeType")) == kind {
			return u.FlagOr("enabled", true)
		}
	}
	return c.upgradable[kind]
}

// mustBeTLS reports whether the virtual host's require_tls rejects the request.
// Envoy uses the header x-forwarded-proto to determine whether the request used
// TLS.
func (c *choice) mustBeTLS(vh document.Message, r *routed) bool {
	switch vh.Text("requireTls") {
	case "ALL":
	case "EXTERNAL_ONLY":
		if r.headers.first("x-envoy-internal") == "true" {
			return false
		}
	default:
		return false
	}
	return r.headers.first("x-forwarded-proto") != "https"
}
