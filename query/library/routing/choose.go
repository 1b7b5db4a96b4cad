package routing

import (
	"context"
	"slices"
)

// Answer is what Envoy would do with a request.
type Answer struct {
	Status int // 0 where a route was found; else what Envoy answers itself: 400, 404

	Route       any    // the route entry, as it is in the document
	VirtualHost string // the name of the virtual host that was chosen; empty for none

	Cluster  string  // the one that is asked; empty where only shares are known
	Clusters []Share // all that may be asked
	URL      string  // the request's URL as it is forwarded; empty where it is not

	RedirectStatus int // 301 and the like; 0 when it is none
	RedirectTo     string
	DirectStatus   int // of a direct response; 0 when it is none

	Unsupported []string // what was met and can't be decided here, each once
}

// Share is one cluster of a route and how much of the requests it takes, 0 to 1.
type Share struct {
	Name  string
	Share float64
}

// routed is a request on its way, with its headers as the routes see them.
type routed struct {
	Request
	headers headers
}

// choice is one request being decided.
type choice struct {
	*reader
	*Regexes
	ignoreParameters bool
	answer           *Answer
}

func (c *choice) unsupported(what string) {
	if !slices.Contains(c.answer.Unsupported, what) {
		c.answer.Unsupported = append(c.answer.Unsupported, what)
	}
}

func newChoice(ctx context.Context, x *Regexes) *choice {
	return &choice{reader: &reader{ctx: ctx}, Regexes: x, answer: &Answer{}}
}

// Configuration decides a request by a route configuration: its virtual host,
// then the first of its routes that matches. Nil means 404: no virtual host,
// or no route in the one that was chosen; Envoy never tries another.
func Configuration(ctx context.Context, x *Regexes, routeConfiguration any, m HCM, r Request) (*Answer, error) {
	c := newChoice(ctx, x)
	rc := c.message(routeConfiguration)
	c.ignoreParameters = rc.flag("ignorePathParametersInPathMatching")
	req, ok := m.prepare(r)
	if !ok {
		c.answer.Status = 400
		return c.answer, c.err
	}
	to := &routed{req, req.headers()}
	for _, what := range [][2]string{{"vhds", "virtual hosts on demand"}, {"routeSpecifiers", "route specifiers"}} {
		if rc.has(what[0]) {
			c.unsupported(what[1])
		}
	}
	vh, ok := c.virtualHost(rc, to.headers)
	if !ok || to.headers.first("x-forwarded-proto") == "" { // with no x-forwarded-proto there is no route
		return nil, c.err
	}
	return c.in(vh, to)
}

// Host decides a request by one virtual host, whatever the request's host.
func Host(ctx context.Context, x *Regexes, virtualHost any, m HCM, r Request) (*Answer, error) {
	c := newChoice(ctx, x)
	req, ok := m.prepare(r)
	if !ok {
		c.answer.Status = 400
		return c.answer, nil
	}
	return c.in(c.message(virtualHost), &routed{req, req.headers()})
}

// in decides by the routes of a virtual host.
func (c *choice) in(vh message, r *routed) (*Answer, error) {
	c.answer.VirtualHost = vh.text("name")
	if c.mustBeTLS(vh, r) {
		c.answer.RedirectStatus, c.answer.RedirectTo = 301, "https://"+r.Host+r.Path
		return c.answer, c.err
	}
	if vh.has("matcher") {
		c.unsupported("matcher tree")
		return c.answer, c.err
	}
	routes, _ := vh.value("routes").([]any)
	for _, route := range routes {
		m := c.message(route)
		if c.err == nil && c.holds(m.sub("match"), r) && c.err == nil {
			if m.has("routeSpecifiers") || vh.has("routeSpecifiers") {
				c.unsupported("route specifiers")
			}
			c.answer.Route = route
			c.act(m, r)
			return c.answer, c.err
		}
	}
	if c.err != nil || len(c.answer.Unsupported) == 0 {
		return nil, c.err
	}
	return c.answer, nil // no route, but one of them could not be decided
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
