package routing

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
)

// decide walks a matcher tree (xds.type.matcher.v3.Matcher) and gives the
// action that it ends with, a TypedExtensionConfig; the zero message for none.
// A branch that leads nowhere is left for the next one, and at last for
// onNoMatch, as Envoy does; but an action that was met is final.
func (c *choice) decide(tree message, r *routed) message {
	switch {
	case tree.has("matcherList"):
		for _, m := range tree.sub("matcherList").list("matchers") {
			if !c.predicate(m.sub("predicate"), r) {
				continue
			}
			if action := c.ending(m.sub("onMatch"), r); action.fields != nil {
				return action
			}
		}
	case tree.has("matcherTree"):
		if action := c.branch(tree.sub("matcherTree"), r); action.fields != nil {
			return action
		}
	}
	return c.ending(tree.sub("onNoMatch"), r)
}

// ending is an OnMatch: an action, or another tree.
func (c *choice) ending(on message, r *routed) message {
	if on.has("matcher") {
		return c.decide(on.sub("matcher"), r)
	}
	return on.sub("action")
}

// branch is a MatcherTree: one input, and where its values lead.
func (c *choice) branch(t message, r *routed) message {
	v, ok := c.input(t.sub("input"), r)
	if !ok {
		return message{}
	}
	switch {
	case t.has("exactMatchMap"):
		on := t.sub("exactMatchMap").sub("map")
		if key, ok := c.redactedKeys(on, v); ok {
			v = key
		}
		if on.has(v) {
			return c.ending(on.sub(v), r)
		}
	case t.has("prefixMatchMap"):
		on := t.sub("prefixMatchMap").sub("map")
		c.redactedKeys(on, v)
		for n := len(v); n >= 0; n-- { // the longest first
			if !on.has(v[:n]) {
				continue
			}
			if action := c.ending(on.sub(v[:n]), r); action.fields != nil || !on.sub(v[:n]).has("action") && !c.has(shorterPrefixes) {
				return action
			}
		}
	case t.has("customMatch"):
		return c.custom(t.sub("customMatch"), v, r)
	}
	return message{}
}

// custom are the matchers of Envoy's own: of addresses and of domains.
func (c *choice) custom(m message, v string, r *routed) message {
	config := m.sub("typedConfig")
	switch {
	case config.has("rangeMatchers"):
		return c.inRange(config.list("rangeMatchers"), v, r)
	case config.has("domainMatchers"):
		return c.inDomain(config.list("domainMatchers"), v, r)
	}
	c.unsupported("matcher " + m.text("name"))
	return message{}
}

// inRange takes the most specific range that leads somewhere. An exclusive one
// is asked only where there is no more specific one.
func (c *choice) inRange(all []message, v string, r *routed) message {
	addr, err := netip.ParseAddr(v)
	if err != nil {
		return message{}
	}
	fitting := fit(all, func(m message) int {
		best := -1
		for _, g := range m.list("ranges") {
			if p, ok := prefixOf(g); ok && p.Contains(addr) {
				best = max(best, p.Bits())
			}
		}
		return best
	})
	for i, m := range fitting {
		if i > 0 && m.flag("exclusive") {
			continue
		}
		if action := c.ending(m.sub("onMatch"), r); action.fields != nil {
			return action
		}
	}
	return message{}
}

// fit gives the messages that fit, the best first; a negative rank is no fit.
func fit(all []message, rank func(message) int) []message {
	type ranked struct {
		rank int
		m    message
	}
	var some []ranked
	for _, m := range all {
		if n := rank(m); n >= 0 {
			some = append(some, ranked{n, m})
		}
	}
	slices.SortStableFunc(some, func(a, b ranked) int { return cmp.Compare(b.rank, a.rank) })
	out := make([]message, len(some))
	for i := range some {
		out[i] = some[i].m
	}
	return out
}

// prefixOf is a CidrRange.
func prefixOf(m message) (netip.Prefix, bool) {
	base, err := netip.ParseAddr(m.text("addressPrefix"))
	if err != nil {
		return netip.Prefix{}, false
	}
	p, err := base.Prefix(int(m.number("prefixLen")))
	return p, err == nil
}

// inDomain takes the exact domain, then the longest wildcard, of those that
// lead somewhere.
func (c *choice) inDomain(all []message, v string, r *routed) message {
	v = asciiLower(v)
	for _, m := range fit(all, func(m message) int {
		best := -1
		for _, d := range m.texts("domains") {
			switch d = asciiLower(d); {
			case d == v:
				best = 1 << 20
			case d == "*":
				best = max(best, 0)
			case strings.HasPrefix(d, "*.") && strings.HasSuffix(v, d[1:]):
				best = max(best, len(d))
			}
		}
		return best
	}) {
		if action := c.ending(m.sub("onMatch"), r); action.fields != nil {
			return action
		}
	}
	return message{}
}

// predicate is a condition of a matcher list.
func (c *choice) predicate(p message, r *routed) bool {
	one := func(m message) bool { return c.predicate(m, r) }
	switch {
	case p.has("singlePredicate"):
		single := p.sub("singlePredicate")
		v, ok := c.input(single.sub("input"), r)
		if single.has("customMatch") {
			c.unsupported("matcher " + single.sub("customMatch").text("name"))
			return false
		}
		return ok && c.stringMatch(single.sub("valueMatch"), v)
	case p.has("orMatcher"):
		return slices.ContainsFunc(p.sub("orMatcher").list("predicate"), one)
	case p.has("andMatcher"):
		return !slices.ContainsFunc(p.sub("andMatcher").list("predicate"), func(m message) bool { return !one(m) })
	case p.has("notMatcher"):
		return !one(p.sub("notMatcher"))
	}
	return false
}

// input gives what a matcher looks at; ok is false where it is missing, or
// not known here.
func (c *choice) input(m message, r *routed) (v string, ok bool) {
	config := m.sub("typedConfig")
	kind := config.text("@type")
	switch kind = kind[strings.LastIndexByte(kind, '.')+1:]; kind {
	case "HttpRequestHeaderMatchInput":
		name := asciiLower(config.text("headerName"))
		if slices.Contains(c.unsaid, name) {
			c.unsupported("header " + name)
			return "", false
		}
		values, ok := r.headers[name]
		return strings.Join(values, ","), ok
	case "HttpRequestQueryParamMatchInput":
		v, ok := queryOf(r.Path)[config.text("queryParam")]
		return v, ok
	case "DestinationIPInput":
		return r.Destination, r.Destination != ""
	case "DestinationPortInput":
		return itoa(r.DestinationPort), r.DestinationPort != 0
	case "SourceIPInput":
		v = cmp.Or(r.remote, r.Source)
		return v, v != ""
	case "DirectSourceIPInput":
		v = cmp.Or(r.DirectSource, r.Source)
		return v, v != ""
	case "SourcePortInput":
		return itoa(r.SourcePort), r.SourcePort != 0
	case "SourceTypeInput":
		return "local", r.local()
	case "ServerNameInput":
		return asciiLower(r.SNI), r.SNI != "" // as the inspector gives it
	case "TransportProtocolInput":
		return r.transport(), true
	case "ApplicationProtocolInput":
		return "'" + strings.Join(r.ALPN, "','") + "'", len(r.ALPN) > 0
	case "UriSanInput":
		return r.Principal, r.Principal != ""
	}
	if name := m.text("name"); kind == "" {
		kind = name
	}
	c.unsupported("matcher input " + kind)
	return "", false
}

// local tells whether a peer is on the same host.
func (r *Request) local() bool {
	return loopback(r.Source) || r.Source != "" && r.Source == r.Destination
}

// loopback tells an address that is one to Envoy: 127.0.0.1 alone of its block.
func loopback(address string) bool { return address == "127.0.0.1" || address == "::1" }

func (r *Request) transport() string {
	if r.TLS {
		return "tls"
	}
	return "raw_buffer"
}
