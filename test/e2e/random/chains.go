package random

import "fmt"

// Listeners holds a listener that is bound to a port, and the listeners to which it can hand over connections.
type Listeners struct {
	All    []message // the listener that is bound to a port comes first; the caller sets its address, and the names of all
	Ports  []int     // the ports of the other listeners
	Tree   bool      // whether a matcher selects the filter chain
	Family int       // the IP version, 4 or 6
}

// Listeners returns random listeners. Each filter chain answers a connection with the chain's name. The listeners may
// use ten ports, starting with first.
func (s Source) Listeners(first int) Listeners {
	l := Listeners{Family: 4}
	if s.oneIn(4) {
		l.Family = 6
	}
	for i := range 3 {
		l.Ports = append(l.Ports, first+i)
	}
	bound := s.listener("0", l.Family, l.Ports)
	if filters, ok := bound["listener_filters"].([]any); ok {
		bound["listener_filters"] = append([]any{proxyProtocol()}, filters...)
	} else {
		bound["listener_filters"] = []any{proxyProtocol()}
	}
	_, l.Tree = bound["filter_chain_matcher"]
	l.All = []message{bound}
	if s.oneIn(3) {
		bound["use_original_dst"] = true
		seen := map[string]bool{}
		for i, host := range s.places(l.Family) {
			if at := fmt.Sprint(host, i%2); seen[at] {
				continue
			} else {
				seen[at] = true
			}
			other := s.listener(fmt.Sprint(i+1), l.Family, l.Ports)
			other["bind_to_port"] = false
			other["address"] = message{"socket_address": message{"address": host, "port_value": l.Ports[i%2]}}
			l.All = append(l.All, other)
		}
	}
	return l
}

// places returns addresses for the listeners to which connections are handed over.
func (s Source) places(family int) []string {
	if family == 6 {
		return []string{"::", pick(s, addresses(6)...), pick(s, addresses(6)...)}
	}
	return []string{"0.0.0.0", pick(s, addresses(4)...), pick(s, addresses(4)...)}
}

func proxyProtocol() message {
	return message{"name": "proxy", "typed_config": message{"@type": typeURL + "envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol"}}
}

func (s Source) listener(name string, family int, ports []int) message {
	l := message{"listener_filters_timeout": "0.3s", "continue_on_listener_filters_timeout": true}
	if filters := s.listenerFilters(ports); filters != nil {
		l["listener_filters"] = filters
	}
	tree := s.oneIn(5)
	var names []string
	var chains []any
	for i := range 1 + s.IntN(8) {
		n := fmt.Sprintf("%s/%d", name, i)
		c := chain(n)
		if !tree {
			c["filter_chain_match"] = s.chainMatch(family, ports)
		}
		names = append(names, n)
		chains = append(chains, c)
	}
	l["filter_chains"] = chains
	if tree {
		l["filter_chain_matcher"] = s.chainTree(names, family, ports)
	}
	if s.flip() {
		l["default_filter_chain"] = chain(name + "/default")
	}
	return l
}

// chain returns a filter chain that answers with its name.
func chain(name string) message {
	return message{"name": name, "filters": []any{message{"name": "name", "typed_config": message{
		"@type": typeURL + "envoy.extensions.filters.network.direct_response.v3.Config", "response": message{"inline_string": name},
	}}}}
}

func (s Source) listenerFilters(ports []int) (all []any) {
	for _, f := range []struct{ name, kind string }{{"tls_inspector", "TlsInspector"}, {"http_inspector", "HttpInspector"}} {
		if s.oneIn(5) {
			continue
		}
		m := message{"name": f.name, "typed_config": message{"@type": typeURL + "envoy.extensions.filters.listener." + f.name + ".v3." + f.kind}}
		if s.oneIn(4) {
			m["filter_disabled"] = s.predicate(2, ports)
		}
		all = append(all, m)
	}
	return all
}

// predicate returns a random ListenerFilterChainMatchPredicate.
func (s Source) predicate(depth int, ports []int) message {
	if depth > 0 && s.oneIn(3) {
		both := message{"rules": []any{s.predicate(depth-1, ports), s.predicate(depth-1, ports)}}
		switch s.IntN(3) {
		case 0:
			return message{"or_match": both}
		case 1:
			return message{"and_match": both}
		}
		return message{"not_match": s.predicate(depth-1, ports)}
	}
	if s.oneIn(8) {
		return message{"any_match": true}
	}
	from := pick(s, ports...)
	return message{"destination_port_range": message{"start": from, "end": from + 1 + s.IntN(2)}}
}

func addresses(family int) []string {
	if family == 6 {
		return []string{"2001:db8::1", "2001:db8::2", "2001:db8:1::1", "fd00::1", "::1"}
	}
	return []string{"10.1.1.1", "10.1.1.2", "10.1.2.1", "10.2.1.1", "192.168.1.1", "127.0.0.1", "127.0.0.9"}
}

func (s Source) ranges(family int) []any {
	var all []any
	for range 1 + s.IntN(2) {
		bits := pick(s, 8, 16, 24, 32, 30)
		if family == 6 {
			bits = pick(s, 16, 32, 48, 64, 128)
		}
		all = append(all, message{"address_prefix": pick(s, addresses(family)...), "prefix_len": bits})
	}
	return all
}

func texts(all ...string) []any {
	out := make([]any, len(all))
	for i := range all {
		out[i] = all[i]
	}
	return out
}

// chainMatch returns a random FilterChainMatch.
func (s Source) chainMatch(family int, ports []int) message {
	m := message{}
	if s.oneIn(3) {
		m["destination_port"] = pick(s, ports...)
	}
	if s.oneIn(3) {
		m["prefix_ranges"] = s.ranges(family)
	}
	if s.oneIn(3) {
		m["server_names"] = texts(pick(s, []string{"a.ex.com"}, []string{"*.ex.com"}, []string{"*.com", "b.ex.com"}, []string{"A.EX.com"}, []string{"*.a.ex.com"}, []string{"ex.com"})...)
	}
	if s.oneIn(3) {
		m["transport_protocol"] = pick(s, "tls", "raw_buffer")
	}
	if s.oneIn(3) {
		m["application_protocols"] = texts(pick(s, []string{"h2"}, []string{"http/1.1"}, []string{"h2c", "http/1.0"}, []string{"istio", "h2"}, []string{"h2", "http/1.1"})...)
	}
	if s.oneIn(6) {
		m["direct_source_prefix_ranges"] = []any{message{"address_prefix": pick(s, "127.0.0.0", "10.0.0.0"), "prefix_len": 8}}
	}
	if s.oneIn(5) {
		m["source_type"] = pick(s, "SAME_IP_OR_LOOPBACK", "EXTERNAL", "ANY")
	}
	if s.oneIn(5) {
		m["source_prefix_ranges"] = s.ranges(family)
	}
	if s.oneIn(6) {
		m["source_ports"] = pick(s, []any{1000}, []any{1000, 2000})
	}
	return m
}
