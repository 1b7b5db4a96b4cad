package envoy

import (
	"fmt"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// TestTwins checks that a static route configuration that occurs twice in a
// dump is listed once, but that different configurations with the same name are
// all listed.
func TestTwins(t *testing.T) {
	config := func(name, domain, updated string) any {
		return object.Of("last_updated", updated, "route_config", object.Of(
			"@type", "type.googleapis.com/envoy.config.route.v3.RouteConfiguration", "name", name,
			"virtual_hosts", []any{object.Of("name", "h", "domains", []any{domain, strings.Repeat("x", 9000)})},
		))
	}
	fetch := dumpOf(t, object.Of("@type", "type.googleapis.com/envoy.admin.v3.RoutesConfigDump", "static_route_configs", []any{
		config("a", "one", "2026-11-22T13:00:00.1Z"), config("a", "two", "2026-11-22T13:00:00.2Z"), config("a", "one", "2026-11-22T13:00:09.3Z"),
		config("b", "one", "2026-11-22T13:00:00Z"), config("", "one", "2026-11-22T13:00:00Z"), config("", "two", "2026-11-22T13:00:00Z"),
	}, "dynamic_route_configs", []any{config("c", "one", "2026-11-22T13:00:00Z"), config("c", "one", "2026-11-22T13:00:00Z")}))
	var got []string
	for _, r := range section(t, NewProxy(nil, fetch, when), mesh.Routes) {
		got = append(got, fmt.Sprint(one(r, "name"), " ", one(r, "state"), " ", dig(r, "virtualHosts.*.domains.*")[0]))
	}
	equal(t, got, []string{" STATIC one", " STATIC two", "a STATIC one", "a STATIC two", "b STATIC one", "c ACTIVE one", "c ACTIVE one"})
}

// TestStates checks that one element of a list may contain resources in several
// states, or only a rejected one.
func TestStates(t *testing.T) {
	cluster := func(name string) any {
		return object.Of("@type", "type.googleapis.com/envoy.config.cluster.v3.Cluster", "name", name)
	}
	fetch := dumpOf(t, object.Of(
		"@type", "type.googleapis.com/envoy.admin.v3.ClustersConfigDump", "version_info", "3",
		"dynamic_warming_clusters", []any{object.Of("cluster", cluster("b"))},
		"static_clusters", []any{object.Of("cluster", cluster("b")), object.Of("cluster", cluster("a"))},
		"dynamic_active_clusters", []any{
			object.Of("cluster", cluster("b"), "version_info", "2"),
			object.Of("error_state", object.Of("failed_configuration", cluster("b"), "details", "bad", "version_info", "4", "last_update_attempt", "2026-11-22T13:00:00.5Z")),
		},
	))
	equal(t, table(section(t, NewProxy(nil, fetch, when), mesh.Clusters), "name", "state", "versionInfo", "lastUpdated", "error"), []string{
		"a STATIC - - -", "b ACTIVE 2 - -", "b REJECTED 4 2026-11-22T13:00:00Z bad", "b STATIC - - -", "b WARMING 3 - -",
	})
}

func TestProtocols(t *testing.T) {
	chain := func(filter, cluster string) any {
		return object.Of("filters", []any{object.Of("name", filter, "typed_config", object.Of(
			"@type", "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy", "cluster", cluster))})
	}
	listener := func(name string, last any, chains ...any) any {
		l := object.Of("@type", "type.googleapis.com/envoy.config.listener.v3.Listener", "name", name, "filter_chains", chains)
		if last != nil {
			l.Set("default_filter_chain", last)
		}
		return object.Of("listener", l)
	}
	const http, tcp = "envoy.filters.network.http_connection_manager", "envoy.filters.network.tcp_proxy"
	fetch := dumpOf(t, object.Of("@type", "type.googleapis.com/envoy.admin.v3.ListenersConfigDump", "static_listeners", []any{
		listener("a", nil, chain(tcp, "BlackHoleCluster")), listener("b", nil, chain(tcp, "x"), chain(http, "")),
		listener("c", chain(tcp, "x"), chain(http, "")), listener("d", chain(http, "")), listener("e", nil, chain("envoy.tcp_proxy", "x")), listener("f", nil),
	}))
	equal(t, table(section(t, NewProxy(nil, fetch, when), mesh.Listeners), "name", "protocols"),
		[]string{"a []", "b [HTTP TCP]", "c [HTTP TCP]", "d [HTTP]", "e [TCP]", "f []"})
}

func TestEndpointForms(t *testing.T) {
	host := func(address *object.Object) any {
		return object.Of("endpoint", object.Of("address", address, "hostname", "h"), "health_status", "DRAINING")
	}
	socket := func(ip string, port int) *object.Object {
		return object.Of("socket_address", object.Of("address", ip, "port_value", port))
	}
	fetch := dumpOf(t, object.Of("@type", "type.googleapis.com/envoy.admin.v3.EndpointsConfigDump", "dynamic_endpoint_configs", []any{
		object.Of("endpoint_config", object.Of(
			"@type", "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment", "cluster_name", "c",
			"endpoints", []any{
				object.Of("priority", 2, "lb_endpoints", []any{host(socket("2001:db8::1", 80)), object.Of("endpoint_name", "named")}),
				object.Of("load_balancer_endpoints", object.Of("lb_endpoints", []any{host(socket("host.example", 9))})),
				object.Of("locality", object.Of("region", "r", "sub_zone", "s"), "lb_endpoints", []any{
					host(object.Of("envoy_internal_address", object.Of("server_listener_name", "connect_originate", "endpoint_id", "10.0.0.5:80"))),
					host(object.Of("pipe", object.Of("path", "/run/s"))),
				}),
			},
		)),
	}))
	equal(t, table(section(t, NewDump(nil, fetch, when), mesh.Endpoints), "address", "ip", "port", "hostname", "health", "priority", "locality", "weight", "metadata"), []string{
		"[2001:db8::1]:80 2001:db8::1 80 h DRAINING 2 - - -",
		"envoy://connect_originate/10.0.0.5:80 - - h DRAINING 0 map[region:r subZone:s] - -",
		"host.example:9 host.example 9 h DRAINING 0 - - -",
		"named - - - UNKNOWN 2 - - -",
		"unix:///run/s - - h DRAINING 0 map[region:r subZone:s] - -",
	})
}

func TestDestinations(t *testing.T) {
	fetch := dumpOf(t, object.Of("@type", "type.googleapis.com/envoy.admin.v3.RoutesConfigDump", "dynamic_route_configs", []any{
		object.Of("route_config", object.Of("@type", "type.googleapis.com/envoy.config.route.v3.RouteConfiguration", "name", "r", "virtual_hosts", []any{
			object.Of("name", "h", "routes", []any{
				object.Of("name", "plain", "route", object.Of("cluster", "a")),
				object.Of("name", "weighted", "route", object.Of("weighted_clusters", object.Of("clusters", []any{
					object.Of("name", "a", "weight", 30), object.Of("name", "b"), object.Of("cluster_header", "x", "weight", 70)}))),
				object.Of("name", "header", "route", object.Of("cluster_header", "x-to")),
				object.Of("name", "redirect", "redirect", object.Of("host_redirect", "x")),
				object.Of("name", "plugin", "route", object.Of("cluster_specifier_plugin", "p")),
			}),
		})),
	}))
	var got []string
	for _, r := range dig(section(t, NewProxy(nil, fetch, when), mesh.Routes), "*.virtualHosts.*.routes.*") {
		got = append(got, one(r, "name")+" "+one(r, "destinations"))
	}
	equal(t, got, []string{
		"plain [map[cluster:a weight:100]]",
		"weighted [map[cluster:a weight:30] map[cluster:b weight:0] map[cluster:<nil> weight:70]]",
		"header [map[cluster:<nil> weight:100]]",
		"redirect []",
		"plugin []",
	})
}
