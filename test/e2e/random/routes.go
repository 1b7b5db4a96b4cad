package random

import (
	"fmt"
	"strings"
)

// Routes is a random route configuration, with random settings of the HTTP connection manager and the listener that
// use it.
type Routes struct {
	Config       message // a RouteConfiguration
	Manager      message // fields of the HttpConnectionManager
	TLS          bool    // whether the listener speaks TLS
	RequestsCert bool    // whether the listener requests the client's certificate
	RequiresCert bool    // whether the listener rejects clients without a certificate
	ShowsCert    bool    // whether the client shows a certificate
}

// Routes returns a random route configuration. All its routes have names.
func (s Source) Routes() Routes {
	tls := s.oneIn(6)
	rc := message{"name": "routes"}
	for _, flag := range []string{"ignore_port_in_host_matching", "ignore_path_parameters_in_path_matching"} {
		if s.oneIn(4) {
			rc[flag] = true
		}
	}
	if s.oneIn(12) {
		rc["vhost_header"] = pick(s, "x-a", "x-vhost")
	}
	if s.oneIn(12) {
		rc["internal_only_headers"] = []any{pick(s, "x-a", "X-C")}
	}
	seen := map[string]bool{}
	var hosts []any
	for len(hosts) == 0 {
		for i := range 1 + s.IntN(6) {
			if h := s.virtualHost(i, seen, tls); h != nil {
				hosts = append(hosts, h)
			}
		}
	}
	rc["virtual_hosts"] = hosts
	r := Routes{Config: rc, Manager: s.manager(), TLS: tls}
	if tls {
		r.ShowsCert = s.flip()
		r.RequestsCert = s.oneIn(3) || r.ShowsCert && s.flip()
		r.RequiresCert = r.RequestsCert && r.ShowsCert && s.flip()
	}
	return r
}

func (s Source) virtualHost(at int, seen map[string]bool, tls bool) message {
	var domains []any
	add := func(d string) {
		if k := strings.ToLower(d); !seen[k] {
			seen[k] = true
			domains = append(domains, d)
		}
	}
	for range 1 + s.IntN(4) {
		add(s.domain())
	}
	if s.oneIn(3) {
		add("*")
	}
	if domains == nil {
		return nil
	}
	h := message{"name": fmt.Sprintf("v%d", at), "domains": domains}
	switch s.IntN(16) {
	case 0:
		h["require_tls"] = "ALL"
	case 1:
		h["require_tls"] = "EXTERNAL_ONLY"
	}
	n := 0
	route := func() message {
		r := message{"name": fmt.Sprintf("%d/%d", at, n), "match": s.match(tls)}
		n++
		s.addAction(r)
		return r
	}
	if s.oneIn(6) {
		h["matcher"] = s.routeTree(route)
		return h
	}
	var routes []any
	for range 1 + s.IntN(6) {
		routes = append(routes, route())
	}
	h["routes"] = routes
	return h
}

// manager returns random options of an HTTP connection manager that take effect before routing.
func (s Source) manager() message {
	m := message{}
	for _, o := range []struct {
		flag string
		n    int
	}{{"merge_slashes", 5}, {"normalize_path", 3}, {"strip_trailing_host_dot", 5}, {"use_remote_address", 3}, {"skip_xff_append", 4}, {"preserve_external_request_id", 4}} {
		if s.oneIn(o.n) {
			m[o.flag] = true
		}
	}
	switch s.IntN(6) {
	case 0:
		m["strip_any_host_port"] = true
	case 1:
		m["strip_matching_host_port"] = true
	}
	if s.oneIn(5) {
		m["path_with_escaped_slashes_action"] = pick(s, "KEEP_UNCHANGED", "REJECT_REQUEST", "UNESCAPE_AND_REDIRECT", "UNESCAPE_AND_FORWARD")
	}
	if s.oneIn(5) {
		m["xff_num_trusted_hops"] = 1 + s.IntN(2)
	}
	if s.oneIn(8) {
		m["scheme_header_transformation"] = message{"scheme_to_overwrite": pick(s, "http", "https")}
	}
	if s.oneIn(4) {
		m["internal_address_config"] = message{"cidr_ranges": []any{pick(s,
			message{"address_prefix": "10.0.0.0", "prefix_len": 8}, message{"address_prefix": "127.0.0.0", "prefix_len": 8},
		)}}
	}
	if s.oneIn(6) {
		m["generate_request_id"] = s.flip()
	}
	if s.oneIn(8) {
		m["via"] = pick(s, "v", "v,w")
	}
	if s.oneIn(8) {
		m["forward_client_cert_details"] = pick(s, "ALWAYS_FORWARD_ONLY", "FORWARD_ONLY", "APPEND_FORWARD", "SANITIZE_SET")
	}
	if s.oneIn(3) {
		m["upgrade_configs"] = []any{message{"upgrade_type": "websocket"}, message{"upgrade_type": "CONNECT"}}
	}
	return m
}
