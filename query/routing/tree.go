package routing

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/query/document"
)

// evaluateTree evaluates a matcher tree (xds.type.matcher.v3.Matcher). It returns
// the selected action, which is a TypedExtensionConfig, or the zero message if
// the tree selects none. The first action that is found is the result. If a
// branch selects no action, the next branch is evaluated, and after the last
// branch onNoMatch, as in Envoy.
func (c *matcher) evaluateTree(tree document.Message, r *routed) document.Message {
	switch {
	case tree.Has("matcherList"):
		for _, m := range tree.Sub("matcherList").List("matchers") {
			if !c.evaluatePredicate(m.Sub("predicate"), r) {
				continue
			}
			if action := c.evaluateOnMatch(m.Sub("onMatch"), r); action.Fields != nil {
				return action
			}
		}
	case tree.Has("matcherTree"):
		if action := c.evaluateMatcherTree(tree.Sub("matcherTree"), r); action.Fields != nil {
			return action
		}
	}
	return c.evaluateOnMatch(tree.Sub("onNoMatch"), r)
}

// evaluateOnMatch evaluates an OnMatch. It returns the action of the OnMatch, or
// the action that its nested tree selects.
func (c *matcher) evaluateOnMatch(on document.Message, r *routed) document.Message {
	if on.Has("matcher") {
		return c.evaluateTree(on.Sub("matcher"), r)
	}
	return on.Sub("action")
}

// evaluateMatcherTree evaluates a MatcherTree: it looks up the value of one input
// in the tree's map or custom matcher.
func (c *matcher) evaluateMatcherTree(t document.Message, r *routed) document.Message {
	v, ok := c.input(t.Sub("input"), r)
	if !ok {
		return document.Message{}
	}
	switch {
	case t.Has("exactMatchMap"):
		on := t.Sub("exactMatchMap").Sub("map")
		if key, ok := c.redactedKeys(on, v); ok {
			v = key
		}
		if on.Has(v) {
			return c.evaluateOnMatch(on.Sub(v), r)
		}
	case t.Has("prefixMatchMap"):
		on := t.Sub("prefixMatchMap").Sub("map")
		c.redactedKeys(on, v)
		for n := len(v); n >= 0; n-- { // the longest prefix is looked up first
			if !on.Has(v[:n]) {
				continue
			}
			if action := c.evaluateOnMatch(on.Sub(v[:n]), r); action.Fields != nil || !on.Sub(v[:n]).Has("action") && !c.has(shorterPrefixes) {
				return action
			}
		}
	case t.Has("customMatch"):
		return c.evaluateCustom(t.Sub("customMatch"), v, r)
	}
	return document.Message{}
}

// evaluateCustom evaluates a custom matcher of Envoy, for IP ranges or for
// domains.
func (c *matcher) evaluateCustom(m document.Message, v string, r *routed) document.Message {
	config := m.Sub("typedConfig")
	switch {
	case config.Has("rangeMatchers"):
		return c.inRange(config.List("rangeMatchers"), v, r)
	case config.Has("domainMatchers"):
		return c.inDomain(config.List("domainMatchers"), v, r)
	}
	c.unsupported("matcher " + m.Text("name"))
	return document.Message{}
}

// inRange evaluates the ranges that contain the address v, the most specific one
// first. It returns the first action that it finds. A range that is marked as
// exclusive is evaluated only if it is the most specific one.
func (c *matcher) inRange(all []document.Message, v string, r *routed) document.Message {
	addr, err := netip.ParseAddr(v)
	if err != nil {
		return document.Message{}
	}
	fitting := ranked(all, func(m document.Message) int {
		best := -1
		for _, g := range m.List("ranges") {
			if p, ok := PrefixOf(g); ok && p.Contains(addr) {
				best = max(best, p.Bits())
			}
		}
		return best
	})
	for i, m := range fitting {
		if i > 0 && m.Flag("exclusive") {
			continue
		}
		if action := c.evaluateOnMatch(m.Sub("onMatch"), r); action.Fields != nil {
			return action
		}
	}
	return document.Message{}
}

// ranked returns the messages whose rank isn't negative, in descending order of
// the rank.
func ranked(all []document.Message, rank func(document.Message) int) []document.Message {
	type ranked struct {
		rank int
		m    document.Message
	}
	var some []ranked
	for _, m := range all {
		if n := rank(m); n >= 0 {
			some = append(some, ranked{n, m})
		}
	}
	slices.SortStableFunc(some, func(a, b ranked) int { return cmp.Compare(b.rank, a.rank) })
	out := make([]document.Message, len(some))
	for i := range some {
		out[i] = some[i].m
	}
	return out
}

// PrefixOf converts a CidrRange to a prefix. ok is false if the address or the
// length is invalid.
func PrefixOf(m document.Message) (p netip.Prefix, ok bool) {
	base, err := netip.ParseAddr(m.Text("addressPrefix"))
	if err != nil {
		return netip.Prefix{}, false
	}
	p, err = base.Prefix(int(m.Number("prefixLen")))
	return p, err == nil
}

// inDomain evaluates the domain matchers that match v: the exact domain first,
// then the wildcards from the longest to the shortest. It returns the first action
// that it finds.
func (c *matcher) inDomain(all []document.Message, v string, r *routed) document.Message {
	v = asciiLower(v)
	for _, m := range ranked(all, func(m document.Message) int {
		best := -1
		for _, d := range m.Texts("domains") {
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
		if action := c.evaluateOnMatch(m.Sub("onMatch"), r); action.Fields != nil {
			return action
		}
	}
	return document.Message{}
}

// evaluatePredicate evaluates a predicate of a matcher list.
func (c *matcher) evaluatePredicate(p document.Message, r *routed) bool {
	one := func(m document.Message) bool { return c.evaluatePredicate(m, r) }
	switch {
	case p.Has("singlePredicate"):
		single := p.Sub("singlePredicate")
		v, ok := c.input(single.Sub("input"), r)
		if single.Has("customMatch") {
			c.unsupported("matcher " + single.Sub("customMatch").Text("name"))
			return false
		}
		return ok && c.stringMatch(single.Sub("valueMatch"), v)
	case p.Has("orMatcher"):
		return slices.ContainsFunc(p.Sub("orMatcher").List("predicate"), one)
	case p.Has("andMatcher"):
		return !slices.ContainsFunc(p.Sub("andMatcher").List("predicate"), func(m document.Message) bool { return !one(m) })
	case p.Has("notMatcher"):
		return !one(p.Sub("notMatcher"))
	}
	return false
}

// input returns the value that a matcher compares, such as a header or an address
// of the request. ok is false if the request has no such value, or if the value
// isn't known.
func (c *matcher) input(m document.Message, r *routed) (v string, ok bool) {
	config := m.Sub("typedConfig")
	kind := config.Text("@type")
	switch kind = kind[strings.LastIndexByte(kind, '.')+1:]; kind {
	case "HttpRequestHeaderMatchInput":
		name := asciiLower(config.Text("headerName"))
		if slices.Contains(c.unknownHeaders, name) {
			c.unsupported("header " + name)
			return "", false
		}
		values, ok := r.headers[name]
		return strings.Join(values, ","), ok
	case "HttpRequestQueryParamMatchInput":
		v, ok := queryOf(r.Path)[config.Text("queryParam")]
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
		return asciiLower(r.SNI), r.SNI != "" // the TLS inspector converts the server name to lower case
	case "TransportProtocolInput":
		return r.transport(), true
	case "ApplicationProtocolInput":
		return "'" + strings.Join(r.ALPN, "','") + "'", len(r.ALPN) > 0
	case "UriSanInput":
		return r.Principal, r.Principal != ""
	}
	if name := m.Text("name"); kind == "" {
		kind = name
	}
	c.unsupported("matcher input " + kind)
	return "", false
}

// local reports whether the peer is on the same host.
func (r *Request) local() bool {
	return loopback(r.Source) || r.Source != "" && r.Source == r.Destination
}

// loopback reports whether Envoy treats an address as a loopback address. In
// 127.0.0.0/8, only 127.0.0.1 is one.
func loopback(address string) bool { return address == "127.0.0.1" || address == "::1" }

func (r *Request) transport() string {
	if r.TLS {
		return "tls"
	}
	return "raw_buffer"
}
