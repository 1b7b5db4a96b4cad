package routing

import (
	"context"
	"net/netip"
	"slices"
	"strings"
)

// Chain gives the filter chain of a listener that a connection takes: one pass
// over the criteria, each keeping the most specific, never going back. None
// fits: the default filter chain, or nil.
func Chain(ctx context.Context, listener any, r Request) (chain any, unsupported string, err error) {
	c := newChoice(ctx, &Regexes{})
	l := c.message(listener)
	if l.has("filterChainMatcher") {
		return nil, "filter chain matcher", c.err
	}
	switch {
	case r.TLS && !inspects(l, tlsInspector, r.DestinationPort): // nobody looks: it is bytes
		r.TLS, r.SNI, r.ALPN = false, "", nil
	case r.ALPN == nil && !r.TLS && inspects(l, httpInspector, r.DestinationPort):
		r.ALPN = []string{"http/1.1"}
	}
	chains, _ := l.value("filterChains").([]any)
	left := make([]candidate, len(chains))
	for i, ch := range chains {
		left[i] = candidate{chain: ch, match: c.message(ch).sub("filterChainMatch")}
	}
	for _, keep := range criteria {
		left = keep(left, &r)
	}
	if c.err != nil {
		return nil, "", c.err
	}
	if len(left) > 0 {
		return left[0].chain, "", nil
	}
	chain = l.fields["defaultFilterChain"]
	return chain, "", c.err
}

// The listener filters that look into what a connection begins with.
const (
	tlsInspector  = "tls_inspector"  // for TLS: its SNI and ALPN
	httpInspector = "http_inspector" // for HTTP without TLS: what is found is chosen by as ALPN is
)

// inspects tells whether a listener has an inspector, in force for that port.
func inspects(l message, inspector string, port int) bool {
	for _, f := range l.list("listenerFilters") {
		if strings.Contains(f.sub("typedConfig").text("@type"), "."+inspector+".") || f.text("name") == "envoy.filters.listener."+inspector {
			return !disabled(f.sub("filterDisabled"), port)
		}
	}
	return false
}

// disabled tells whether a listener filter's predicate fits a connection.
func disabled(p message, port int) bool {
	switch {
	case p.has("anyMatch"):
		return p.flag("anyMatch")
	case p.has("notMatch"):
		return !disabled(p.sub("notMatch"), port)
	case p.has("orMatch"):
		return slices.ContainsFunc(p.sub("orMatch").list("rules"), func(m message) bool { return disabled(m, port) })
	case p.has("andMatch"):
		return !slices.ContainsFunc(p.sub("andMatch").list("rules"), func(m message) bool { return !disabled(m, port) })
	}
	ports := p.sub("destinationPortRange")
	return int(ports.number("start")) <= port && port < int(ports.number("end"))
}

type candidate struct {
	chain any
	match message
}

// criteria are Envoy's, in its order.
var criteria = []func([]candidate, *Request) []candidate{
	byPort, byDestination, bySNI, byTransport, byALPN, byDirectSource, bySourceType, bySource, bySourcePort,
}

// most keeps the candidates of the highest rank; a negative rank is no fit.
func most(all []candidate, rank func(message) int) []candidate {
	best, left := -1, []candidate(nil)
	for _, c := range all {
		n := rank(c.match)
		if n < 0 || n < best {
			continue
		}
		if n > best {
			best, left = n, nil
		}
		left = append(left, c)
	}
	return left
}

func byPort(all []candidate, r *Request) []candidate {
	return most(all, func(m message) int {
		if !m.has("destinationPort") {
			return 0
		}
		if int(m.number("destinationPort")) == r.DestinationPort {
			return 1
		}
		return -1
	})
}

func byDestination(all []candidate, r *Request) []candidate {
	return byRange(all, "prefixRanges", r.Destination)
}
func byDirectSource(all []candidate, r *Request) []candidate {
	peer := r.DirectSource
	if peer == "" {
		peer = r.Source
	}
	return byRange(all, "directSourcePrefixRanges", peer)
}

func bySource(all []candidate, r *Request) []candidate {
	return byRange(all, "sourcePrefixRanges", r.Source)
}

// byRange is longest-prefix match; no range at all counts as /0.
func byRange(all []candidate, field, address string) []candidate {
	addr, err := netip.ParseAddr(address)
	return most(all, func(m message) int {
		ranges := m.list(field)
		if len(ranges) == 0 {
			return 0
		}
		best := -1
		for _, g := range ranges {
			base, e := netip.ParseAddr(g.text("addressPrefix"))
			if err != nil || e != nil {
				continue
			}
			p, e := base.Prefix(int(g.number("prefixLen")))
			if e == nil && p.Contains(addr) {
				best = max(best, p.Bits())
			}
		}
		return best
	})
}

// bySNI prefers the exact name, then the wildcard with the longest suffix,
// then chains without names.
func bySNI(all []candidate, r *Request) []candidate {
	sni := asciiLower(r.SNI)
	return most(all, func(m message) int {
		names := m.texts("serverNames")
		if len(names) == 0 {
			return 0
		}
		best := -1
		for _, n := range names {
			n = asciiLower(n)
			switch suffix, wild := strings.CutPrefix(n, "*"); {
			case sni == "":
			case n == sni:
				return 1 << 20
			case wild && len(sni) > len(suffix) && strings.HasSuffix(sni, suffix):
				best = max(best, len(n))
			}
		}
		return best
	})
}

func byTransport(all []candidate, r *Request) []candidate {
	transport := "raw_buffer"
	if r.TLS {
		transport = "tls"
	}
	return most(all, func(m message) int {
		switch m.text("transportProtocol") {
		case "":
			return 0
		case transport:
			return 1
		}
		return -1
	})
}

// byALPN takes the first protocol, in the client's order, that some chain has.
func byALPN(all []candidate, r *Request) []candidate {
	return most(all, func(m message) int {
		offered := m.texts("applicationProtocols")
		if len(offered) == 0 {
			return 0
		}
		for i, p := range r.ALPN {
			if slices.Contains(offered, p) {
				return len(r.ALPN) - i
			}
		}
		return -1
	})
}

func bySourceType(all []candidate, r *Request) []candidate {
	addr, _ := netip.ParseAddr(r.Source)
	local := addr.IsLoopback() || r.Source != "" && r.Source == r.Destination
	return most(all, func(m message) int {
		switch m.text("sourceType") {
		case "SAME_IP_OR_LOOPBACK":
			if local {
				return 1
			}
			return -1
		case "EXTERNAL":
			if !local {
				return 1
			}
			return -1
		}
		return 0
	})
}

func bySourcePort(all []candidate, r *Request) []candidate {
	return most(all, func(m message) int {
		a, _ := m.value("sourcePorts").([]any)
		if len(a) == 0 {
			return 0
		}
		for _, p := range a {
			if n, ok := m.force(p).(int); ok && n == r.SourcePort {
				return 1
			}
		}
		return -1
	})
}
