package oracle

import "fmt"

const (
	filterType  = "type.googleapis.com/envoy.extensions.filters."
	managerType = filterType + "network.http_connection_manager.v3.HttpConnectionManager"
)

// Address returns a socket address.
func Address(host string, port int) Message {
	return Message{"socket_address": Message{"address": host, "port_value": port}}
}

// Manager returns an HTTP connection manager that reports what it chose. options are its fields other than the routes
// and filters.
func Manager(options, routeConfig Message) Message {
	m := Message{
		"@type": managerType, "stat_prefix": "oracle",
		"http_filters": []any{Message{"name": "router", "typed_config": Message{"@type": filterType + "http.router.v3.Router"}}},
		"route_config": with(with(routeConfig, "response_headers_to_add", reportHeaders()), "validate_clusters", false),
	}
	for k, v := range options {
		m[k] = v
	}
	return m
}

// Listener returns a listener with one filter chain, which ends in an HTTP connection manager.
func Listener(name string, address, manager, transport Message) Message {
	chain := Message{"filters": []any{Message{"name": "http", "typed_config": manager}}}
	if transport != nil {
		chain["transport_socket"] = transport
	}
	return Message{"name": name, "address": address, "filter_chains": []any{chain}}
}

// Echo returns a listener that answers every request with 200.
func Echo(address Message) Message {
	all := Message{"virtual_hosts": []any{Message{"name": "echo", "domains": []any{"*"}, "routes": []any{
		Message{"match": Message{"prefix": ""}, "direct_response": Message{"status": 200}},
		Message{"match": Message{"connect_matcher": Message{}}, "direct_response": Message{"status": 200}},
	}}}}
	return Listener("echo", address, Message{
		"@type": managerType, "stat_prefix": "echo", "route_config": all,
		"http_filters": []any{Message{"name": "router", "typed_config": Message{"@type": filterType + "http.router.v3.Router"}}},
	}, nil)
}

// Cluster returns a cluster with a single endpoint, usually the address of the echo listener.
func Cluster(name string, address Message) Message {
	return Message{
		"name": name, "type": "STATIC", "connect_timeout": "5s",
		"circuit_breakers": Message{"thresholds": []any{Message{"max_connections": 100_000, "max_pending_requests": 100_000, "max_requests": 100_000}}},
		"load_assignment": Message{"cluster_name": name, "endpoints": []any{
			Message{"lb_endpoints": []any{Message{"endpoint": Message{"address": address}}}},
		}},
	}
}

// Host returns a loopback address for an Envoy of its own. With it, many listeners can use the same port numbers.
func Host(n uint64) string {
	return fmt.Sprintf("127.%d.%d.%d", 64+n%64, n>>8%256, 1+n>>16%250)
}
