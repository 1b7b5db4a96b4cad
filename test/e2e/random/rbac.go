package random

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// RBACListener holds the RBAC filters of a listener: in its filter chain, in its HTTP connection manager, or in both.
// It also holds other settings of the connection manager.
type RBACListener struct {
	Network           message // configuration of the network filter; nil if there is none
	HTTP              message // configuration of the HTTP filter
	Manager           message // fields of the HttpConnectionManager
	IgnoresParameters bool    // whether the routes ignore path parameters
	RoutesNothing     bool    // whether no route matches any request
	TLS               bool    // whether the listener speaks TLS and requests the client's certificate
	Family            int     // the IP version, 4 or 6
	Ports             []int   // the original destination ports of connections
	requests          Routes  // routes that requests are generated for
}

const (
	rbacHTTP    = typeURL + "envoy.extensions.filters.http.rbac.v3.RBAC"
	rbacNetwork = typeURL + "envoy.extensions.filters.network.rbac.v3.RBAC"
)

// RBACListener returns random RBAC filters.
func (s Source) RBACListener() RBACListener {
	g := RBACListener{Family: 4, Ports: []int{8080, 8081, 9090}, TLS: s.oneIn(3), IgnoresParameters: s.oneIn(3), RoutesNothing: s.oneIn(6)}
	if s.oneIn(4) {
		g.Family = 6
	}
	r := rbacGenerator{s, g.Family, g.Ports, true}
	g.HTTP = r.filter(rbacHTTP)
	if s.oneIn(3) {
		g.Network = rbacGenerator{s, g.Family, g.Ports, false}.filter(rbacNetwork)
		g.Network["stat_prefix"] = "rbac"
	}
	g.Manager = message{}
	for _, flag := range []string{"merge_slashes", "normalize_path", "use_remote_address", "skip_xff_append"} {
		if s.oneIn(4) {
			g.Manager[flag] = true
		}
	}
	if s.oneIn(5) {
		g.Manager["xff_num_trusted_hops"] = 1 + s.IntN(2)
	}
	if s.oneIn(6) {
		g.Manager["internal_address_config"] = message{"cidr_ranges": []any{message{"address_prefix": "10.0.0.0", "prefix_len": 8}}}
	}
	g.requests = Routes{Config: message{"virtual_hosts": []any{message{"domains": []any{"*"}, "rules": matchesOf(g.HTTP)}}}}
	return g
}

// matchesOf returns the headers and paths in RBAC rules, in the form of a route's match. Requests that are generated
// for these matches then satisfy the rules more often.
func matchesOf(v any) (all []any) {
	switch x := v.(type) {
	case []any:
		for _, w := range x {
			all = append(all, matchesOf(w)...)
		}
	case message:
		if h, ok := x["header"].(message); ok {
			all = append(all, message{"match": message{"headers": []any{h}}})
		}
		if p, ok := x["url_path"].(message); ok {
			all = append(all, message{"match": pathOf(p["path"].(message))})
		}
		for _, k := range slices.Sorted(maps.Keys(x)) {
			all = append(all, matchesOf(x[k])...)
		}
	}
	return all
}

func pathOf(text message) message {
	for _, kind := range []string{"exact", "prefix", "suffix", "contains"} {
		if v, ok := text[kind].(string); ok {
			return message{"path": v}
		}
	}
	return message{"safe_regex": text["safe_regex"]}
}

// An rbacGenerator generates RBAC rules: for HTTP requests, or for connections only.
type rbacGenerator struct {
	Source
	family int
	ports  []int
	http   bool
}

func (r rbacGenerator) filter(kind string) message {
	m := message{"@type": kind}
	if r.oneIn(6) {
		m["matcher"] = r.matcher()
	} else {
		m["rules"] = r.rules()
	}
	if r.oneIn(4) {
		m["shadow_rules"] = r.rules()
	}
	return m
}

func (r rbacGenerator) rules() message {
	m := message{"action": pick(r.Source, "ALLOW", "ALLOW", "DENY", "DENY", "LOG")}
	policies := message{}
	for i := range r.IntN(4) {
		policies[pick(r.Source, "a", "b", "c", "d")+strconv.Itoa(i)] = message{
			"permissions": r.some(r.permission), "principals": r.some(r.principal),
		}
	}
	if len(policies) > 0 {
		m["policies"] = policies
	}
	return m
}

func (r rbacGenerator) some(one func(depth int) message) (all []any) {
	for range 1 + r.IntN(2) {
		all = append(all, one(2))
	}
	return all
}

// joined returns a condition that combines others with and, or, or not. names holds the field names, which differ
// between permissions and principals.
func (r rbacGenerator) joined(depth int, names [4]string, one func(depth int) message) message {
	both := message{names[3]: []any{one(depth - 1), one(depth - 1)}}
	switch r.IntN(3) {
	case 0:
		return message{names[0]: both}
	case 1:
		return message{names[1]: both}
	}
	return message{names[2]: one(depth - 1)}
}

func (r rbacGenerator) permission(depth int) message {
	if depth > 0 && r.oneIn(3) {
		return r.joined(depth, [4]string{"and_rules", "or_rules", "not_rule", "rules"}, r.permission)
	}
	if r.http && r.oneIn(2) {
		return r.requestCondition()
	}
	switch r.IntN(5) {
	case 0:
		return message{"any": true}
	case 1:
		return message{"destination_ip": r.cidr()}
	case 2:
		return message{"destination_port": pick(r.Source, r.ports...)}
	case 3:
		from := pick(r.Source, r.ports...)
		return message{"destination_port_range": message{"start": from, "end": from + 1 + r.IntN(2)}}
	}
	return message{"requested_server_name": pick(r.Source, message{"exact": "a.ex.com"}, message{"suffix": ".ex.com"}, message{"exact": ""}, message{"prefix": "A"})}
}

func (r rbacGenerator) principal(depth int) message {
	if depth > 0 && r.oneIn(3) {
		return r.joined(depth, [4]string{"and_ids", "or_ids", "not_id", "ids"}, r.principal)
	}
	if r.http && r.oneIn(3) {
		return r.requestCondition()
	}
	switch r.IntN(6) {
	case 0:
		return message{"any": true}
	case 1:
		return message{"authenticated": message{}}
	case 2:
		return message{"authenticated": message{"principal_name": pick(r.Source,
			message{"exact": "spiffe://cluster.local/ns/default/sa/client"}, message{"prefix": "spiffe://cluster.local/ns/"}, message{"suffix": "/sa/client"},
			message{"exact": "other"}, message{"safe_regex": message{"regex": ".*/ns/default/.*"}}, message{"contains": "/NS/", "ignore_case": true},
		)}}
	case 3:
		return message{"direct_remote_ip": pick(r.Source, r.cidr(), message{"address_prefix": "127.0.0.0", "prefix_len": 8})}
	case 4:
		return message{"source_ip": r.cidr()}
	}
	return message{"remote_ip": pick(r.Source, r.cidr(), message{"address_prefix": "1.2.0.0", "prefix_len": 16})}
}

// requestCondition returns a random condition on a request.
func (r rbacGenerator) requestCondition() message {
	if r.oneIn(3) {
		return message{"url_path": message{"path": r.pathText()}}
	}
	return message{"header": r.headerMatch()}
}

func (r rbacGenerator) pathText() message {
	switch r.IntN(4) {
	case 0:
		return message{"prefix": r.path()}
	case 1:
		return message{"suffix": pick(r.Source, "/a", "/b", "a", "x", "/")}
	case 2:
		return message{"safe_regex": message{"regex": pick(r.Source, expressions(pathPatterns())...)}}
	}
	return message{"exact": r.path()}
}

func (r rbacGenerator) cidr() message { return r.ranges(r.family)[0].(message) }

// matcher returns a random xDS matcher, which an RBAC filter accepts instead of rules.
func (r rbacGenerator) matcher() message {
	return treeGenerator{
		Source: r.Source,
		input: func() message {
			if r.http && r.flip() {
				return message{"name": "header", "typed_config": message{
					"@type": typeURL + "envoy.type.matcher.v3.HttpRequestHeaderMatchInput", "header_name": pick(r.Source, "x-a", "x-b", "x-c", ":method", "cookie", "accept"),
				}}
			}
			return r.networkInput("DestinationIPInput", "DestinationPortInput", "SourceIPInput", "DirectSourceIPInput", "ServerNameInput")
		},
		values: func() string {
			return pick(r.Source, "v", "w", "1", "GET", "ab", "127.0.0.1", "a.ex.com", strconv.Itoa(pick(r.Source, r.ports...)), pick(r.Source, addresses(r.family)...))
		},
		leaf: func() message {
			return message{"name": "action", "typed_config": message{
				"@type": typeURL + "envoy.config.rbac.v3.Action", "name": fmt.Sprint("m", r.IntN(3)), "action": pick(r.Source, "ALLOW", "DENY", "LOG"),
			}}
		},
	}.tree(2)
}

// An RBACRequest is a request to a listener with RBAC filters, and the connection that it is sent over.
type RBACRequest struct {
	Connection
	Request
	ShowsCert bool // whether the client shows a certificate
}

// RBACRequest returns a random request that is likely to satisfy some of the rules.
func (s Source) RBACRequest(at RBACListener) RBACRequest {
	k := RBACRequest{
		Connection: s.Connection(Listeners{Family: at.Family, Ports: at.Ports}),
		Request:    s.Request(at.requests),
		ShowsCert:  at.TLS && s.flip(),
	}
	k.Speaks, k.ALPN = HTTP11, nil
	if k.SNI = ""; at.TLS {
		k.SNI = pick(s, "", "a.ex.com", "b.ex.com", "other.org")
	}
	if k.Method == "CONNECT" {
		k.Method, k.Path = "GET", s.path()
	}
	k.remove("upgrade")
	k.remove("connection")
	for i, h := range k.Headers { // a denied gRPC request has the status 200, like an allowed one
		if strings.HasPrefix(h[1], "application/grpc") {
			k.Headers[i][1] = "text/plain"
		}
	}
	return k
}
