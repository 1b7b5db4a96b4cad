package trace_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/itchyny/gojq"

	"github.com/meshq/kubectl-meshq/query"
	"github.com/meshq/kubectl-meshq/query/eval"
	"github.com/meshq/kubectl-meshq/query/library"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

const (
	filterType = "type.googleapis.com/envoy.extensions.filters."
	tcpType    = `"@type": "` + filterType + `network.tcp_proxy.v3.TcpProxy"`
	rbacType   = `"@type": "` + filterType + `http.rbac.v3.RBAC"`
	faultType  = `"@type": "` + filterType + `http.fault.v3.HTTPFault"`
	mutual     = `"transportSocket": {"name": "tls", "typedConfig": {"@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"}}`
)

func tcpChain(cluster, match string) string {
	return `{"name": "` + cluster + `", "filterChainMatch": {` + match + `}, "filters": [{"name": "tcp", "typedConfig": {` + tcpType + `, "cluster": "` + cluster + `"}}]}`
}

func httpChain(name, match, rest, filters string) string {
	return `{"name": "` + name + `", "filterChainMatch": {` + match + `}, "filters": [{"name": "hcm", "typedConfig": {"@type": "` + filterType + `network.http_connection_manager.v3.HttpConnectionManager", ` + rest + `, "httpFilters": [` + filters + `]}}]`
}

func at(name, host string, port string, rest string) string {
	return `{"name": "` + name + `", "state": "ACTIVE", "address": {"socketAddress": {"address": "` + host + `", "portValue": ` + port + `}}, ` + rest + `}`
}

const inspectors = `"listenerFilters": [{"name": "envoy.filters.listener.tls_inspector"}, {"name": "envoy.filters.listener.http_inspector"}]`

func route(name, match, action string) string {
	return `{"name": "` + name + `", "match": ` + match + `, "metadata": {"filterMetadata": {"istio": {"config": "/apis/networking.istio.io/v1/namespaces/shop/virtual-service/` + name + `"}}}, ` + action + `}`
}

// web is the configuration of a sidecar, as Istio generates it.
var web = map[string]string{
	"listeners": `[` + strings.Join([]string{
		at("virtualOutbound", "0.0.0.0", "15001", `"useOriginalDst": true, "filterChains": [`+tcpChain("BlackHoleCluster", `"destinationPort": 15001`)+`, `+tcpChain("PassthroughCluster", ``)+`]`),
		at("0.0.0.0_80", "0.0.0.0", "80", `"bindToPort": false, `+inspectors+`, "filterChains": [`+
			httpChain("http", `"transportProtocol": "raw_buffer", "applicationProtocols": ["http/1.1"]`, `"rds": {"routeConfigName": "80"}`, `{"name": "fault", "typedConfig": {`+faultType+`}}, {"name": "lua", "typedConfig": {"@type": "`+filterType+`http.lua.v3.Lua"}}`)+
			`}], "defaultFilterChain": `+tcpChain("PassthroughCluster", ``)),
		at("10.1.0.9_80", "10.1.0.9", "80", `"bindToPort": false, "filterChains": [`+tcpChain("outbound|80||raw.shop.svc.cluster.local", ``)+`]`),
		at("0.0.0.0_443", "0.0.0.0", "443", `"bindToPort": false, `+inspectors+`, "filterChains": [`+tcpChain("sni", `"serverNames": ["*.example.com"]`)+`]`),
		at("0.0.0.0_81", "0.0.0.0", "81", `"bindToPort": false, "state": "DRAINING", "filterChains": [`+tcpChain("gone", ``)+`]`),
	}, ",") + `]`,
	"routes": `[{"name": "80", "state": "ACTIVE", "virtualHosts": [{"name": "cart", "domains": ["cart", "cart.shop"], "routes": [` + strings.Join([]string{
		route("jason", `{"prefix": "/", "headers": [{"name": "user", "stringMatch": {"exact": "jason"}}]}`, `"route": {"cluster": "outbound|80|v2|cart.shop.svc.cluster.local"}`),
		route("abort", `{"path": "/abort"}`, `"typedPerFilterConfig": {"fault": {`+faultType+`, "abort": {"httpStatus": 503, "percentage": {"numerator": 100}}}}, "route": {"cluster": "outbound|80||cart.shop.svc.cluster.local"}`),
		route("moved", `{"path": "/moved"}`, `"redirect": {"pathRedirect": "/"}`),
		route("teapot", `{"path": "/teapot"}`, `"directResponse": {"status": 418}`),
		route("gone", `{"path": "/gone"}`, `"route": {"cluster": "gone"}`),
		route("empty", `{"path": "/empty"}`, `"route": {"cluster": "outbound|80|ghost|cart.shop.svc.cluster.local"}`),
		route("sick", `{"path": "/sick"}`, `"route": {"cluster": "outbound|80|sick|cart.shop.svc.cluster.local"}`),
		route("split", `{"prefix": "/split"}`, `"requestMirrorPolicies": [], "route": {"requestMirrorPolicies": [{"cluster": "shadow", "runtimeFraction": {"defaultValue": {"numerator": 10}}}], "weightedClusters": {"clusters": [{"name": "outbound|80||cart.shop.svc.cluster.local", "weight": 3}, {"name": "gone", "weight": 1}]}}`),
		route("cart", `{"prefix": "/cart"}`, `"route": {"cluster": "outbound|80||cart.shop.svc.cluster.local", "prefixRewrite": "/v1"}`),
	}, ",") + `]}, {"name": "block_all", "domains": ["blocked"], "routes": [{"match": {"prefix": "/"}, "directResponse": {"status": 502}}]}]}]`,
	"clusters": `[` + strings.Join([]string{
		`{"name": "BlackHoleCluster", "type": "STATIC"}`, `{"name": "PassthroughCluster", "type": "ORIGINAL_DST"}`, `{"name": "sni", "type": "ORIGINAL_DST"}`,
		`{"name": "outbound|80|sick|cart.shop.svc.cluster.local", "type": "EDS", "commonLbConfig": {"healthyPanicThreshold": {}}, "outlierDetection": {}}`,
		`{"name": "outbound|80|v2|cart.shop.svc.cluster.local", "type": "EDS", "edsClusterConfig": {"serviceName": "both"}}`,
		`{"name": "outbound|80|ghost|cart.shop.svc.cluster.local", "type": "EDS", "subset": "ghost"}`, `{"name": "outbound|80||raw.shop.svc.cluster.local", "type": "EDS", "edsClusterConfig": {"serviceName": "both"}}`,
		`{"name": "outbound|80||cart.shop.svc.cluster.local", "type": "EDS", "edsClusterConfig": {"serviceName": "both"}, "metadata": {"filterMetadata": {"istio": {"config": "/apis/networking.istio.io/v1/namespaces/shop/destination-rule/cart"}}},
			"transportSocketMatches": [{"name": "istio", "match": {"tlsMode": "istio"}, "transportSocket": {"typedConfig": {"@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext", "sni": "cart", "commonTlsContext": {"alpnProtocols": ["istio"]}}}}, {"name": "raw", "match": {}}]}`,
	}, ",") + `]`,
	"endpoints": `[{"cluster": "both", "address": "10.0.0.2:8080", "ip": "10.0.0.2", "port": 8080, "health": "HEALTHY", "weight": 1, "metadata": {"filterMetadata": {"envoy.transport_socket_match": {"tlsMode": "istio"}, "istio": {"workload": "cart-1;shop;cart;v1;c"}}}},
		{"cluster": "both", "address": "10.0.0.9:8080", "ip": "10.0.0.9", "port": 8080, "health": "HEALTHY", "weight": 3},
		{"cluster": "outbound|80|sick|cart.shop.svc.cluster.local", "address": "10.0.0.4:8080", "health": "HEALTHY", "outlier": "FAILED"}]`,
	"secrets": `[{"name": "default", "subjectAltNames": ["spiffe://cluster.local/ns/shop/sa/web"]}]`,
	"server":  `{"version": "0/1.40.0/Clean"}`,
}

// cart is the configuration of the sidecar of one endpoint.
var cart = map[string]string{
	"listeners": `[` + at("virtualInbound", "0.0.0.0", "15006", inspectors+`, "filterChains": [`+strings.Join([]string{
		httpChain("mtls", `"destinationPort": 8080, "transportProtocol": "tls", "applicationProtocols": ["istio"]`, `"routeConfig": {"name": "inbound|8080||", "virtualHosts": [{"name": "inbound", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "inbound|8080||"}}]}]}`,
			`{"name": "rbac", "typedConfig": {`+rbacType+`, "rules": {"action": "DENY", "policies": {"ns[shop]-policy[no-web]-rule[0]": {"permissions": [{"urlPath": {"path": {"prefix": "/v1/secret"}}}], "principals": [{"authenticated": {"principalName": {"exact": "spiffe://cluster.local/ns/shop/sa/web"}}}]}}}}}`) + `, ` + mutual + `}`,
		httpChain("plain", `"destinationPort": 8080, "transportProtocol": "raw_buffer"`, `"routeConfig": {"virtualHosts": [{"name": "inbound", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "inbound|8080||"}}]}]}`,
			`{"name": "rbac", "typedConfig": {`+rbacType+`, "rules": {}}}`) + `}`,
	}, ",")+`]`) + `]`,
	"routes": `[]`, "endpoints": `[]`, "secrets": `[]`, "clusters": `[{"name": "inbound|8080||", "type": "ORIGINAL_DST"}]`,
}

// shop returns a mesh with two proxies and two services.
func shop(t *testing.T) *mesh.Object {
	t.Helper()
	proxy := func(name, ip string, sections map[string]string) *mesh.Object {
		fields := object.Of("id", name+".shop", "name", name, "namespace", "shop", "workload", name, "type", "sidecar", "ip", ip, "ips", []any{ip}, "labels", object.Of("app", name))
		o := mesh.NewObject("Proxy", nil, fields)
		for section, text := range sections {
			v := decoded(t, text)
			if all, ok := v.([]any); ok {
				for i, e := range all {
					all[i] = mesh.NewObject("Part", o, e.(*object.Object))
				}
			}
			if fields.Set(section, v); section == "routes" {
				derive(v)
			}
		}
		return o
	}
	return mesh.NewObject("Mesh", nil, object.Of(
		"proxies", []any{proxy("web", "10.0.0.1", web), proxy("cart", "10.0.0.2", cart)},
		"services", decoded(t, `[{"metadata": {"name": "cart", "namespace": "shop"}, "spec": {"clusterIP": "10.1.0.2"}},
			{"metadata": {"name": "raw", "namespace": "shop"}, "spec": {"clusterIP": "10.1.0.9"}}, {"metadata": {"name": "none", "namespace": "shop"}, "spec": {"clusterIP": "None"}}]`),
	))
}

// derive sets the destinations of routes in the same way as the document does.
func derive(v any) {
	switch x := v.(type) {
	case []any:
		for _, w := range x {
			derive(w)
		}
	case *mesh.Object:
		fields, _ := x.Fields(context.Background())
		derive(fields.Get("virtualHosts"))
	case *object.Object:
		derive(x.Get("routes"))
		if x.Get("match") == nil {
			return
		}
		var all []any
		action, _ := x.Get("route").(*object.Object)
		if c := action.Get("cluster"); c != nil {
			all = append(all, object.Of("cluster", c))
		}
		weighted, _ := action.Get("weightedClusters").(*object.Object)
		entries, _ := weighted.Get("clusters").([]any)
		for _, e := range entries {
			all = append(all, object.Of("cluster", e.(*object.Object).Get("name"), "weight", e.(*object.Object).Get("weight")))
		}
		x.Set("destinations", all)
	}
}

func decoded(t testing.TB, text string) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err, text)
	}
	return whole(object.FromPlain(v))
}

func whole(v any) any {
	switch x := v.(type) {
	case json.Number:
		n, _ := x.Int64()
		return int(n)
	case []any:
		for i := range x {
			x[i] = whole(x[i])
		}
	case *object.Object:
		for k := range x.All() {
			x.Set(k, whole(x.Get(k)))
		}
	}
	return v
}

func traced(t *testing.T, in *mesh.Object, src string) string {
	t.Helper()
	p, err := query.Compile(src, query.Options{Doors: library.Doors{Document: func() any { return in }}})
	if err != nil {
		t.Fatal(src, err)
	}
	var out []string
	err = p.Run(context.Background(), in, nil, eval.RunOptions{}, func(v any) error {
		v, err := mesh.Deep(context.Background(), v)
		if err != nil {
			return err
		}
		text, err := gojq.Marshal(object.ToPlain(v))
		out = append(out, string(text))
		return err
	})
	if err != nil {
		out = append(out, "error: "+err.Error())
	}
	return strings.Join(out, "\n")
}

func TestTrace(t *testing.T) {
	in := shop(t)
	for _, c := range []struct{ src, want string }{
		{`"http://cart/cart/x" | [.cluster, .url, .reason, .status, .reached]`, `["outbound|80||cart.shop.svc.cluster.local","http://cart/v1/x",null,null,true]`},
		{`"http://cart/cart/x" | [.steps[] | [.step, .name, .istio]]`, `[["service","cart.shop",null],["listener","0.0.0.0_80",null],["filter chain","http",null],["route configuration","80",null],["virtual host","cart",null],["route","cart","virtual-service/cart.shop"],["cluster","outbound|80||cart.shop.svc.cluster.local","destination-rule/cart.shop"]]`},
		{`"http://cart/cart" | [.steps[] | select(.almost != []) | .almost[]]`, `[{"name":"jason","why":"header user is missing; it must be \"jason\""}]`},
		{`"http://cart/cart" | [.endpoints[] | [.address, .share, .transport, .workload]]`, `[["10.0.0.2:8080",0.25,"istio","cart-1.shop"],["10.0.0.9:8080",0.75,"raw",null]]`},
		{`"http://cart/cart" | .unsupported`, `["lua"]`},
		{`{url: "http://cart.shop/", headers: {user: "jason"}} | .cluster`, `"outbound|80|v2|cart.shop.svc.cluster.local"`},
		{`"http://cart/abort" | [.reason, .status, .faults, .endpoints]`, `["FAULT",503,[{"delay":null,"fault":"abort","share":1,"status":503}],[]]`},
		{`"http://cart/moved" | [.reason, .status, .redirectTo]`, `["REDIRECT",301,"http://cart/"]`},
		{`"http://cart/teapot" | [.reason, .status]`, `["DIRECT_RESPONSE",418]`},
		{`"http://blocked/" | [.reason, .status]`, `["BLACKHOLE",502]`},
		{`"http://cart/gone" | [.reason, .cluster]`, `["NO_CLUSTER","gone"]`},
		{`"http://cart/empty" | .reason`, `"NO_ENDPOINTS"`},
		{`"http://cart/sick" | [.reason, [.endpoints[] | [.share, .outlier]]]`, `["ALL_UNHEALTHY",[[0,"FAILED"]]]`},
		{`"http://cart/nothing" | [.reason, .status, (.steps[-1].almost | length)]`, `["NO_ROUTE",404,1]`},
		{`"http://other/" | [.reason, .status]`, `["NO_VHOST",404]`},
		{`"http://cart/split/" | [.reason, .clusters, .mirrors, ([.endpoints[].share] | add)]`, `[null,[{"name":"outbound|80||cart.shop.svc.cluster.local","reason":null,"share":0.75},{"name":"gone","reason":"NO_CLUSTER","share":0.25}],[{"cluster":"shadow","share":0.1}],0.75]`},
		{`{url: "http://cart/split/", random: 3} | [.reason, .cluster]`, `["NO_CLUSTER","gone"]`},
		{`{url: "http://cart/split/", random: 2} | [.reason, .cluster]`, `[null,"outbound|80||cart.shop.svc.cluster.local"]`},
		{`"tcp://raw:80" | [.cluster, .steps[1].name, .reason]`, `["outbound|80||raw.shop.svc.cluster.local","10.1.0.9_80",null]`},
		{`"http://10.1.0.9/" | .steps[0].name`, `"10.1.0.9_80"`},
		{`"http://elsewhere.org/" | [.reason, .unsupported]`, `["NO_VHOST",["the address of elsewhere.org (no Kubernetes Service)","lua"]]`},
		{`"tcp://none:99" | [.cluster, .reason, .endpoints[0].address, .unsupported]`, `["PassthroughCluster","PASSTHROUGH",null,["the address of none (the Service has no cluster IP)"]]`},
		{`"tcp://10.9.9.9:15001" | [.cluster, .reason]`, `["BlackHoleCluster","BLACKHOLE"]`},
		{`"tcp://10.9.9.9:81" | [.steps[0].name, .reason, .endpoints[0].address]`, `["virtualOutbound","PASSTHROUGH","10.9.9.9:81"]`},
		{`"https://a.example.com/" | [.cluster, .reason, .steps[1].reason]`, `["sni",null,"SNI a.example.com"]`},
		{`"https://example.com/" | [.reason, .steps[1].almost]`, `["NO_FILTER_CHAIN",[{"name":"sni","why":"SNI is example.com; it has *.example.com"}]]`},
		{`"https://cart:80/" | [.cluster, .steps[2].reason]`, `["PassthroughCluster","no other matches"]`},
		{`{url: "http://cart/cart", speed: 1}`, `error: a request has no speed; it has alpn, destination, digests, directSource, headers, host, method, path, port, principal, random, scheme, sni, source, tls, url`},
		{`{url: "http://cart/cart", direction: "up"}`, `error: a request's direction can't be up`},
	} {
		request, rest, _ := strings.Cut(c.src, " | ")
		src := `.proxy("web").trace(` + request + `)`
		if rest != "" {
			src += " | " + rest
		}
		if got := traced(t, in, src); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.src, got, c.want)
		}
	}
	for src, want := range map[string]string{
		`[.proxies[] | trace("http://cart/cart") | [.proxy, .reason]]`: `[["web.shop",null],["cart.shop","NO_LISTENER"]]`,
		`[.proxies | trace("http://cart/cart") | .proxy]`:              `["web.shop","cart.shop"]`,
		`trace("/")`: `error: trace begins at a proxy, or at a workload of a ztunnel`,
	} {
		if got := traced(t, in, src); got != want {
			t.Errorf("%s\n got %s\nwant %s", src, got, want)
		}
	}
}

// TestTraceThrough follows a request into the proxy of its endpoint.
func TestTraceThrough(t *testing.T) {
	in := shop(t)
	for _, c := range []struct{ src, want string }{
		{`.proxy("web").trace({url: "http://cart/cart/x", through: true}) | [.reached, .reason, [.through[] | [.proxy, .cluster, .endpoints[0].address, .request.principal, .request.path]]]`,
			`[true,null,[["cart.shop","inbound|8080||","10.0.0.2:8080","spiffe://cluster.local/ns/shop/sa/web","/v1/x"]]]`},
		{`.proxy("web").trace({url: "http://cart/cart/secret", through: true}) | [.reached, .reason, [.through[] | [.reached, .reason, .status, .policies[0].istio, .steps[-1].reason]]]`,
			`[true,null,[[false,"DENIED",403,"authorization-policy/no-web.shop","a policy denies it"]]]`}, // the request also reaches another endpoint, which has no proxy
		{`.proxy("cart").trace({url: "http://10.0.0.2:8080/v1/secret", direction: "inbound", tls: true, alpn: ["istio"], from: "web"}) | [.reason, .request.source]`, `["DENIED","10.0.0.1"]`},
		{`.proxy("cart").trace({url: "http://10.0.0.2:8080/v1/secret", direction: "inbound", tls: true, alpn: ["istio"], from: "10.0.0.7"}) | [.reason, .policies[0].unknown, .unsupported]`, `[null,"the client's identity",["rbac: the client's identity"]]`},
		{`.proxy("cart").trace({url: "http://10.0.0.2:8080/", direction: "inbound"}) | [.reason, .policies[0].verdict]`, `["DENIED","denied"]`},
		{`.proxy("cart").trace({url: "http://10.0.0.2:8080/", direction: "inbound", from: "nobody"})`, `error: no proxy named nobody`},
	} {
		if got := traced(t, in, c.src); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.src, got, c.want)
		}
	}
}
