package trace_test

import (
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// These constants name the parts of an ambient mesh's tunnels, as Istio configures
// them.
const (
	upstreamTLS   = `"transportSocket": {"name": "tls", "typedConfig": {"@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"}}`
	originate     = `{"name": "connect_originate", "state": "ACTIVE", "internalListener": {}, "filterChains": [{"filters": [{"name": "tcp", "typedConfig": {` + tcpType + `, "cluster": "connect_originate", "tunnelingConfig": {"hostname": "%DOWNSTREAM_LOCAL_ADDRESS%"}}}]}]}`
	originateTo   = `{"name": "connect_originate", "type": "ORIGINAL_DST", "lbPolicy": "CLUSTER_PROVIDED", ` + upstreamTLS + `, "originalDstLbConfig": {"upstreamPortOverride": 15008}}`
	originateWays = `{"name": "connect_originate", "type": "ORIGINAL_DST", "lbPolicy": "CLUSTER_PROVIDED", ` + upstreamTLS + `, "originalDstLbConfig": {"upstreamPortOverride": 15008, "metadataKey": {"key": "envoy.filters.listener.original_dst", "path": [{"key": "waypoint"}]}}}`
)

// tunnelled returns an endpoint that is reached through the internal listener
// connect_originate.
func tunnelled(cluster, local, waypoint string) string {
	more := ""
	if waypoint != "" {
		more = `, "waypoint": "` + waypoint + `"`
	}
	return `{"cluster": "` + cluster + `", "address": "envoy://connect_originate/` + local + `", "health": "HEALTHY", "metadata": {"filterMetadata": {"envoy.filters.listener.original_dst": {"local": "` + local + `"` + more + `}}}}`
}

// ambient returns a mesh with a sidecar that opens tunnels, a waypoint, and a
// ztunnel in front of two workloads.
func ambient(t *testing.T) *mesh.Object {
	t.Helper()
	web := map[string]string{
		"listeners": `[` + strings.Join([]string{
			at("virtualOutbound", "0.0.0.0", "15001", `"useOriginalDst": true, "filterChains": [`+tcpChain("PassthroughCluster", ``)+`]`),
			at("0.0.0.0_80", "0.0.0.0", "80", `"bindToPort": false, "filterChains": [`+httpChain("http", ``, `"rds": {"routeConfigName": "80"}`, ``)+`}]`), originate,
		}, ",") + `]`,
		"routes": `[{"name": "80", "virtualHosts": [{"name": "cart", "domains": ["*"], "routes": [` +
			route("direct", `{"prefix": "/direct"}`, `"route": {"cluster": "direct"}`) + `, ` + route("denied", `{"prefix": "/denied"}`, `"route": {"cluster": "denied"}`) + `, ` +
			route("nowhere", `{"prefix": "/nowhere"}`, `"route": {"cluster": "nowhere"}`) + `, ` + route("cart", `{"prefix": "/"}`, `"route": {"cluster": "cart"}`) + `]}]}]`,
		"clusters": `[{"name": "direct", "type": "EDS"}, {"name": "denied", "type": "EDS"}, {"name": "nowhere", "type": "EDS"}, {"name": "cart", "type": "EDS"}, ` + originateWays + `, {"name": "PassthroughCluster", "type": "ORIGINAL_DST"}]`,
		"endpoints": `[` + tunnelled("cart", "10.1.0.2:80", "10.0.0.5:15008") + `, ` + tunnelled("direct", "10.0.0.7:8080", "") + `, ` + tunnelled("denied", "10.0.0.8:8080", "") + `,
			{"cluster": "nowhere", "address": "envoy://gone/10.0.0.7:8080", "health": "HEALTHY"}]`,
		"secrets": `[{"name": "default", "subjectAltNames": ["spiffe://cluster.local/ns/shop/sa/web"]}]`,
	}
	chosen := func(v string) string {
		return `{"action": {"name": "a", "typedConfig": {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": "` + v + `"}}}`
	}
	way := map[string]string{
		"listeners": `[` + strings.Join([]string{
			at("connect_terminate", "0.0.0.0", "15008", `"filterChains": [`+httpChain("default", ``,
				`"upgradeConfigs": [{"upgradeType": "CONNECT"}], "routeConfig": {"name": "default", "virtualHosts": [{"name": "default", "domains": ["*"], "routes": [{"match": {"connectMatcher": {}}, "route": {"cluster": "main_internal", "upgradeConfigs": [{"upgradeType": "CONNECT", "connectConfig": {}}]}}]}]}`,
				`{"name": "rbac", "typedConfig": {`+rbacType+`, "rules": {"action": "DENY", "policies": {"ns[shop]-policy[no-mallory]-rule[0]": {"permissions": [{"any": true}], "principals": [{"authenticated": {"principalName": {"suffix": "/sa/mallory"}}}]}}}}}`)+`, `+mutual+`}]`),
			`{"name": "main_internal", "state": "ACTIVE", "internalListener": {}, ` + inspectors + `, "filterChains": [` +
				httpChain("cart", ``, `"routeConfig": {"name": "cart", "virtualHosts": [{"name": "cart", "domains": ["*"], "routes": [{"match": {"path": "/no"}, "route": {"cluster": "gone"}}, {"match": {"prefix": "/"}, "route": {"cluster": "inbound-vip|80|http|cart.shop.svc.cluster.local"}}]}]}`,
					`{"name": "rbac", "typedConfig": {`+rbacType+`, "rules": {"action": "ALLOW", "policies": {"ns[shop]-policy[web-only]-rule[0]": {"permissions": [{"header": {"name": ":method", "stringMatch": {"exact": "GET"}}}], "principals": [{"filterState": {"key": "io.istio.peer_principal", "stringMatch": {"exact": "spiffe://cluster.local/ns/shop/sa/web"}}}]}}}}}`) +
				`}, ` + tcpChain("direct-tcp", ``) + `], "filterChainMatcher": {"matcherTree": {"input": {"name": "ip", "typedConfig": {"@type": "type.googleapis.com/envoy.extensions.matching.common_inputs.network.v3.DestinationIPInput"}}, "customMatch": {"name": "ip", "typedConfig": {"@type": "type.googleapis.com/xds.type.matcher.v3.IPMatcher",
				"rangeMatchers": [{"ranges": [{"addressPrefix": "10.1.0.2", "prefixLen": 32}], "onMatch": {"matcher": {"matcherTree": {"input": {"name": "port", "typedConfig": {"@type": "type.googleapis.com/envoy.extensions.matching.common_inputs.network.v3.DestinationPortInput"}}, "exactMatchMap": {"map": {"80": ` + chosen("cart") + `}}}}}}]}}}}}`,
			originate,
		}, ",") + `]`,
		"routes":   `[]`,
		"clusters": `[{"name": "main_internal", "type": "STATIC"}, {"name": "inbound-vip|80|http|cart.shop.svc.cluster.local", "type": "EDS"}, ` + originateTo + `]`,
		"endpoints": `[{"cluster": "main_internal", "address": "envoy://main_internal", "health": "HEALTHY"}, ` +
			tunnelled("inbound-vip|80|http|cart.shop.svc.cluster.local", "10.0.0.7:8080", "") + `]`,
		"secrets": `[{"name": "default", "subjectAltNames": ["spiffe://cluster.local/ns/shop/sa/way"]}]`,
	}
	node := map[string]string{
		"workloads": `[{"name": "cart-1", "namespace": "shop", "workloadIps": ["10.0.0.7"], "node": "n2", "protocol": "HBONE", "authorizationPolicies": ["shop/way-only"]},
			{"name": "vault-1", "namespace": "bank", "workloadIps": ["10.0.0.8"], "node": "n2", "protocol": "HBONE"}]`,
		"policies": `[{"name": "way-only", "namespace": "shop", "action": "Allow", "scope": "WorkloadSelector", "rules": [[[{"serviceAccounts": [{"namespace": "shop", "serviceAccount": "way"}]}, {"principals": [{"Exact": "cluster.local/ns/shop/sa/web"}], "destinationPorts": [8080]}]]]},
			{"name": "nobody", "namespace": "bank", "action": "Allow", "scope": "Namespace", "rules": []}]`,
	}
	proxy := func(name, kind, ip, node string, sections map[string]string) *mesh.Object {
		o := mesh.NewObject("Proxy", nil, object.Of("id", name+".shop", "name", name, "namespace", "shop", "type", kind, "ip", ip, "ips", []any{ip}, "node", node))
		fields, _ := o.Fields(t.Context())
		for section, text := range sections {
			v := decoded(t, text)
			for i, e := range v.([]any) {
				v.([]any)[i] = mesh.NewObject("Part", o, e.(*object.Object))
			}
			fields.Set(section, v)
		}
		return o
	}
	return mesh.NewObject("Mesh", nil, object.Of(
		"proxies", []any{proxy("web", "sidecar", "10.0.0.1", "n1", web), proxy("way", "waypoint", "10.0.0.5", "n1", way), proxy("zt-1", "ztunnel", "10.0.9.1", "n1", node), proxy("zt-2", "ztunnel", "10.0.9.2", "n2", node)},
		"services", decoded(t, `[{"metadata": {"name": "cart", "namespace": "shop"}, "spec": {"clusterIP": "10.1.0.2"}}]`),
	))
}

// TestTunnels follows requests through internal listeners, into the tunnels of
// an ambient mesh, through a waypoint, and to a ztunnel.
func TestTunnels(t *testing.T) {
	in := ambient(t)
	for _, c := range []struct{ src, want string }{
		{`.proxy("web").trace("http://cart/") | [.reached, .cluster, (.endpoints[] | [.address, .ip, .port, .tunnel, .share]), [.steps[] | select(.step == "internal listener" or .step == "cluster") | .name]]`,
			`[true,"cart",["envoy://connect_originate/10.1.0.2:80","10.1.0.2",80,"10.0.0.5:15008",1],["cart","connect_originate","connect_originate"]]`},
		{`.proxy("web").trace("http://cart/nowhere") | [.reached, .reason, .endpoints[0].share]`, `[false,"NO_LISTENER",0]`},
		{`.proxy("web").trace("http://cart/direct") | .endpoints[0].tunnel`, `"10.0.0.7:15008"`},
		// a trace that begins at a waypoint
		{`.proxy("way").trace({url: "http://cart/", principal: "spiffe://cluster.local/ns/shop/sa/web"}) | [.reached, .cluster, [.steps[] | select(.step | test("listener|chain")) | .name], [.policies[] | [.istio, .verdict]]]`,
			`[true,"inbound-vip|80|http|cart.shop.svc.cluster.local",["connect_terminate","default","main_internal","cart","connect_originate",null],[[null,"allowed"],["authorization-policy/web-only.shop","allowed"]]]`},
		{`.proxy("way").trace({url: "http://cart/", principal: "spiffe://cluster.local/ns/shop/sa/mallory"}) | [.reached, .reason, .status, [.steps[].name]]`,
			`[false,"DENIED",403,["cart.shop","connect_terminate","default","default","default","a CONNECT's","ns[shop]-policy[no-mallory]-rule[0]"]]`},
		{`.proxy("way").trace({url: "http://cart/", method: "PUT", principal: "spiffe://cluster.local/ns/shop/sa/web"}) | [.reason, .status]`, `["DENIED",403]`},
		{`.proxy("way").trace("http://cart/") | [.reason, .unsupported]`, `[null,["rbac: the client's identity"]]`},
		{`.proxy("way").trace("http://10.1.0.3/") | [.reason, .steps[-1].reason]`, `["NO_FILTER_CHAIN","none matches, so the connection is closed"]`},
		// a trace through all proxies on the way
		{`.proxy("web").trace({url: "http://cart/", through: true}) | [.reached, .reason, (.through[] | [.proxy, .reached, .request.principal, (.through[] | [.proxy, .reached, .request.principal, .endpoints[0].workload, .policies[0].istio])])]`,
			`[true,null,["way.shop",true,"spiffe://cluster.local/ns/shop/sa/web",["zt-2.shop",true,"spiffe://cluster.local/ns/shop/sa/way","cart-1.shop","authorization-policy/way-only.shop"]]]`},
		{`.proxy("web").trace({url: "http://cart/direct", through: true}) | [.reached, (.through[] | [.proxy, .steps[0].name, .policies[0].verdict])]`, `[true,["zt-2.shop","cart-1.shop","allowed"]]`},
		{`.proxy("web").trace({url: "http://cart/denied", through: true}) | [.reached, .reason, (.through[] | [.proxy, .policies[0].verdict])]`, `[false,"DENIED",["zt-2.shop","denied"]]`},
		{`.proxy("web").trace({url: "http://cart/no", through: true}) | [.reached, .reason]`, `[false,"NO_CLUSTER"]`},
		{`.proxy("zt-1").trace("http://cart/")`, `error: trace begins at a workload; zt-1.shop is the ztunnel of many: name one of them`},
	} {
		if got := traced(t, in, c.src); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.src, got, c.want)
		}
	}
}
