package routing

import (
	"context"
	"slices"
)

// routed is a request on its way, with its headers as the routes see them.
type routed struct {
	Request
	headers headers
}

// choice is one request being decided.
type choice struct {
	*reader
	*Cache
	envoy            Envoy
	upgradable       map[string]bool // HCM.Upgrades
	configuration    any             // the route configuration; nil for none
	ignoreParameters bool
	unsaid           []string // headers that Envoy itself sets, to what isn't known here
	answer           *Answer
	digests          map[string]string // of texts of the request, as a snapshot has them: Request.Digests
	about            string            // what is compared
	hidden           string            // that it is compared with something that is not known
	doubt            string            // what the last condition that isn't sure depends on
}

func (c *choice) unsupported(what string) {
	if !slices.Contains(c.answer.Unsupported, what) {
		c.answer.Unsupported = append(c.answer.Unsupported, what)
	}
}

func newChoice(ctx context.Context, x *Cache, e Envoy) *choice {
	return &choice{reader: &reader{ctx: ctx}, Cache: x, envoy: e, answer: &Answer{}}
}

// Configuration decides a request by a route configuration: its virtual host,
// then the first of its routes that matches. Where there is no virtual host,
// or no route in the one that was chosen, the answer is a 404; Envoy never
// tries another.
func Configuration(ctx context.Context, x *Cache, routeConfiguration any, m HCM, r Request) (*Answer, error) {
	c := newChoice(ctx, x, m.Envoy)
	c.upgradable = m.Upgrades
	c.configuration = routeConfiguration
	rc := c.message(routeConfiguration)
	c.ignoreParameters = rc.flag("ignorePathParametersInPathMatching")
	req, said := c.prepare(m, r)
	if said != nil {
		return c.refused(said), c.err
	}
	if m.Edge != nil {
		req, c.unsaid = m.Edge.marked(req, rc.texts("internalOnlyHeaders"))
	}
	c.digests = req.Digests
	to := &routed{req, req.headers()}
	c.answer.choice, c.answer.asked = c, to
	if rc.has("routeSpecifiers") {
		c.unsupported("route specifiers")
	}
	vh, ok := c.virtualHost(rc, to.headers)
	if !ok && rc.has("vhds") { // Envoy asks its Pilot for one that it doesn't have
		c.unsupported("virtual hosts on demand")
	}
	if !ok || to.headers.first("x-forwarded-proto") == "" { // with no x-forwarded-proto there is no route
		return c.none(), c.err
	}
	return c.in(vh, to)
}

// Host decides a request by one virtual host, whatever the request's host.
func Host(ctx context.Context, x *Cache, virtualHost any, m HCM, r Request) (*Answer, error) {
	c := newChoice(ctx, x, m.Envoy)
	c.upgradable = m.Upgrades
	req, said := c.prepare(m, r)
	if said != nil {
		return c.refused(said), nil
	}
	if m.Edge != nil {
		req, c.unsaid = m.Edge.marked(req, nil)
	}
	c.digests = req.Digests
	return c.in(virtualHost, &routed{req, req.headers()})
}

// refused is an answer of the connection manager, ahead of any route.
func (c *choice) refused(a *Answer) *Answer {
	a.Unsupported = c.answer.Unsupported
	return a
}

// none is the answer where no route is chosen, whatever else is asked for.
func (c *choice) none() *Answer {
	c.answer.Status = 404
	return c.answer
}

// in decides by the routes of a virtual host.
func (c *choice) in(host any, r *routed) (*Answer, error) {
	vh := c.message(host)
	c.answer.VirtualHost, c.answer.Host = vh.text("name"), host
	if c.mustBeTLS(vh, r) {
		if !c.upgrades(c.message(nil), r) {
			c.answer.Status = 403
			return c.answer, c.err
		}
		if c.answer.RedirectStatus = 301; r.Method != "CONNECT" { // which has no path, so nowhere to go
			c.answer.RedirectTo = "https://" + r.Host + r.Path
		}
		return c.answer, c.err
	}
	routes, _ := vh.value("routes").([]any)
	if vh.has("matcher") {
		routes = c.matched(vh.sub("matcher"), r)
		if c.answer.Undecided = c.found(); c.answer.Undecided != "" {
			return c.answer, c.err
		}
	}
	c.answer.choice, c.answer.asked, c.answer.routes = c, r, routes
	for i, route := range routes {
		m := c.message(route)
		miss := c.misses(m.sub("match"), r)
		if c.err == nil && miss.kind == byDigest { // it may be this one, or one that follows
			c.answer.Undecided = miss.what
			c.answer.routes = routes[:i]
			return c.answer, c.err
		}
		if c.err == nil && miss.kind == fits {
			if m.has("routeSpecifiers") || vh.has("routeSpecifiers") {
				c.unsupported("route specifiers")
			}
			c.answer.Route, c.answer.routes = route, routes[:i]
			if !c.upgrades(m.sub("route"), r) {
				c.answer.Status = 403
				return c.answer, c.err
			}
			c.act(m, r)
			return c.answer, c.err
		}
	}
	return c.none(), c.err
}

// matched gives the routes that a matcher tree leads to: no other is tried.
func (c *choice) matched(tree message, r *routed) []any {
	action := c.decide(tree, r)
	if action.fields == nil {
		return nil
	}
	config := action.sub("typedConfig")
	if routes, ok := config.value("routes").([]any); ok { // a RouteList
		return routes
	}
	return []any{action.value("typedConfig")}
}

// upgrades tells whether the request asks for no upgrade that isn't allowed:
// the route has the first word, then the connection manager.
func (c *choice) upgrades(action message, r *routed) bool {
	kind := r.upgrade()
	if kind == "" || c.upgradable == nil {
		return true
	}
	for _, u := range action.list("upgradeConfigs") {
		if asciiLower(u.text("upgradeType")) == kind {
			return u.flagOr("enabled", true)
		}
	}
	return c.upgradable[kind]
}

// mustBeTLS is require_tls: it looks at x-forwarded-proto.
func (c *choice) mustBeTLS(vh message, r *routed) bool {
	switch vh.text("requireTls") {
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
