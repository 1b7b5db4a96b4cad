package routing

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

func value(t testing.TB, text string) any {
	t.Helper()
	var v any
	if err := object.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return camel(v)
}

// TestDomainsPreferTheMostSpecific checks the precedence of domains: the exact
// domain, then the longest suffix wildcard, the longest prefix wildcard, and
// "*".
func TestDomainsPreferTheMostSpecific(t *testing.T) {
	rc := value(t, `{"virtualHosts": [
		{"name": "all", "domains": ["*"]}, {"name": "com", "domains": ["*.com"]}, {"name": "foo", "domains": ["foo.*"]}, {"name": "bar", "domains": ["*-bar.foo.com"]},
		{"name": "foocom", "domains": ["*.foo.com"]}, {"name": "exact", "domains": ["A.foo.com", "a.foo.com:80"]}, {"name": "foobar", "domains": ["foo.bar*"]}]}`)
	for host, want := range map[string]string{
		"a.foo.com": "exact", "A.FOO.com": "exact", "a.foo.com:80": "exact", "a.foo.com:81": "all", "x-bar.foo.com": "bar", "-bar.foo.com": "foocom",
		"a.b-bar.foo.com": "bar", ".foo.com": "com", "foo.bar.com": "com", "foo.bar.org": "foobar", "foo.org": "foo", "foo.": "all", "": "all",
	} {
		a, err := Configuration(context.Background(), &Cache{}, rc, HCM{}, Request{Host: host, Path: "/"})
		if err != nil || a.VirtualHost != want || a.Status != 404 {
			t.Errorf("%q: %s, want %s (%v)", host, a.VirtualHost, want, err)
		}
	}
}

// TestEdgeSetsHeadersByOrigin checks how a connection manager changes the headers
// that describe the origin of a request, and how it answers upgrades.
func TestEdgeSetsHeadersByOrigin(t *testing.T) {
	inside := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	for _, c := range []struct {
		name    string
		edge    Edge
		r       Request
		headers string // the expected :scheme, x-forwarded-proto, x-envoy-internal and x-envoy-max-retries
	}{
		{"a client's word", Edge{}, Request{Headers: [][2]string{{"X-Forwarded-Proto", "https"}}}, "https https  "},
		{"an edge's own", Edge{UseRemoteAddress: true}, Request{Headers: [][2]string{{"x-forwarded-proto", "https"}}}, "http http  "},
		{"an edge's own, TLS", Edge{UseRemoteAddress: true}, Request{TLS: true}, "https https  "},
		{"hops that are trusted", Edge{UseRemoteAddress: true, TrustedHops: 1}, Request{Headers: [][2]string{{"x-forwarded-proto", "https"}}}, "https https  "},
		{"overwritten", Edge{Scheme: "https"}, Request{}, "https https  "},
		{"no word of the client's", Edge{}, Request{Headers: [][2]string{{"x-envoy-internal", "true"}, {"x-envoy-max-retries", "3"}}}, "http http  "},
		{"internal", Edge{Internal: inside, UseRemoteAddress: true}, Request{Source: "10.1.1.1", Headers: [][2]string{{"x-envoy-max-retries", "3"}}}, "http http true 3"},
		{"internal by header", Edge{Internal: inside}, Request{Headers: [][2]string{{"x-forwarded-for", "10.1.1.1"}}}, "http http true "},
		{"two hops", Edge{Internal: inside}, Request{Headers: [][2]string{{"x-forwarded-for", "10.1.1.1, 10.1.1.2"}}}, "http http  "},
	} {
		r, unknown := c.edge.withHeaders(c.r, nil)
		h := r.headers()
		got := strings.Join([]string{h.first(":scheme"), h.first("x-forwarded-proto"), h.first("x-envoy-internal"), h.first("x-envoy-max-retries")}, " ")
		if !slices.Contains(unknown, "x-request-id") || got != c.headers {
			t.Errorf("%s: %q, want %q", c.name, got, c.headers)
		}
	}
}

// TestMatcherInputsOfThePeer checks the addresses that a matcher compares. The
// direct source is the address of the physical peer. The source is the address
// in the PROXY header.
func TestMatcherInputsOfThePeer(t *testing.T) {
	const physical, named = "10.0.0.1", "10.0.0.2"
	for _, c := range []struct {
		input, want string
		r           Request
	}{
		{"DirectSourceIPInput", physical, Request{Source: named, DirectSource: physical}},
		{"DirectSourceIPInput", named, Request{Source: named}},
		{"SourceIPInput", named, Request{Source: named, DirectSource: physical}},
	} {
		l := value(t, `{"filterChains": [{"name": "`+physical+`"}, {"name": "`+named+`"}], "filterChainMatcher": {"matcherTree": {
			"input": {"name": "ip", "typedConfig": {"@type": "type.googleapis.com/envoy.extensions.matching.common_inputs.network.v3.`+c.input+`"}},
			"exactMatchMap": {"map": {`+chosenChain(physical)+`, `+chosenChain(named)+`}}}}}`)
		taken, err := Chain(t.Context(), &Cache{}, Envoy{}, l, c.r, Seen{})
		if err != nil {
			t.Fatal(err)
		}
		if want := "the listener's matcher chooses " + c.want; taken.Why != want {
			t.Errorf("%s of %+v: %s, want %s", c.input, c.r, taken.Why, want)
		}
	}
}

// chosenChain returns an entry in a matcher's map for a filter chain's name.
// The entry selects the filter chain with that name.
func chosenChain(name string) string {
	return `"` + name + `": {"action": {"name": "chain", "typedConfig": {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": "` + name + `"}}}`
}

func TestUpgrades(t *testing.T) {
	rc := func(action string) any {
		return value(t, `{"virtualHosts": [{"name": "v", "domains": ["*"], "routes": [{"match": {"connectMatcher": {}}, "route": {"cluster": "tunnel"}}, {"match": {"prefix": "/"}, "route": {"cluster": "c"`+action+`}}]}]}`)
	}
	socket := [][2]string{{"Connection", "keep-alive, Upgrade"}, {"Upgrade", "WebSocket"}}
	allowed, none := map[string]bool{"websocket": true}, map[string]bool{}
	for _, c := range []struct {
		upgrades map[string]bool
		action   string
		r        Request
		want     string
	}{
		{none, "", Request{Path: "/", Headers: socket}, "403"},
		{allowed, "", Request{Path: "/", Headers: socket}, "c"},
		{allowed, `, "upgradeConfigs": [{"upgradeType": "websocket", "enabled": false}]`, Request{Path: "/", Headers: socket}, "403"},
		{none, `, "upgradeConfigs": [{"upgradeType": "websocket"}]`, Request{Path: "/", Headers: socket}, "c"},
		{none, "", Request{Path: "/", Headers: socket[1:]}, "c"},
		// no route matches that could allow the upgrade
		{none, "", Request{Host: "elsewhere", Path: "nothing", Headers: socket}, "404"},
		{none, "", Request{Method: "CONNECT", Host: "h:80"}, "403"},
		{map[string]bool{"connect": true}, "", Request{Method: "CONNECT", Host: "h:80"}, "tunnel"},
	} {
		a, err := Configuration(context.Background(), &Cache{}, rc(c.action), HCM{Upgrades: c.upgrades}, c.r)
		if err != nil {
			t.Fatal(err)
		}
		got := a.Cluster
		if a.Status != 0 {
			got = itoa(a.Status)
		}
		if got != c.want {
			t.Errorf("%v %s %v: %s, want %s", c.upgrades, c.action, c.r, got, c.want)
		}
	}
}

// TestMatcherTreesReplaceRoutesAndCriteria checks matcher trees. They replace the
// routes of a virtual host or the criteria of filter chains.
func TestMatcherTreesReplaceRoutesAndCriteria(t *testing.T) {
	header := func(name string) string {
		return `{"name": "h", "typedConfig": {"@type": "type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput", "headerName": "` + name + `"}}`
	}
	route := func(cluster, prefix string) string {
		return `{"action": {"name": "r", "typedConfig": {"@type": "type.googleapis.com/envoy.config.route.v3.Route", "match": {"prefix": "` + prefix + `"}, "route": {"cluster": "` + cluster + `"}}}}`
	}
	tree := `{"matcherList": {"matchers": [
		{"predicate": {"singlePredicate": {"input": ` + header("a") + `, "valueMatch": {"exact": "1"}}}, "onMatch": ` + route("one", "/") + `},
		{"predicate": {"andMatcher": {"predicate": [{"singlePredicate": {"input": ` + header("a") + `, "valueMatch": {"prefix": "2"}}}, {"notMatcher": {"singlePredicate": {"input": ` + header("b") + `, "valueMatch": {"exact": "x"}}}}]}}, "onMatch": ` + route("two", "/only") + `},
		{"predicate": {"singlePredicate": {"input": ` + header("a") + `, "valueMatch": {"exact": "3"}}}, "onMatch": {"matcher": {"matcherTree": {"input": ` + header("b") + `, "prefixMatchMap": {"map": {"x": ` + route("x", "/") + `, "xy": ` + route("xy", "/") + `}}}}}}
		]}, "onNoMatch": {"action": {"name": "l", "typedConfig": {"@type": "type.googleapis.com/envoy.config.route.v3.RouteList", "routes": [{"match": {"path": "/p"}, "route": {"cluster": "p"}}, {"match": {"prefix": "/"}, "route": {"cluster": "rest"}}]}}}}`
	vh := value(t, `{"name": "v", "matcher": `+tree+`}`)
	for _, c := range []struct{ a, b, path, want string }{
		{"1", "", "/", "one"}, {"2", "", "/only", "two"}, {"2", "", "/", ""}, {"2", "x", "/only", "rest"}, {"3", "xyz", "/", "xy"}, {"3", "xa", "/", "x"}, {"3", "q", "/p", "p"}, {"", "", "/q", "rest"},
	} {
		r := Request{Path: c.path}
		for name, v := range map[string]string{"a": c.a, "b": c.b} {
			if v != "" {
				r.Headers = append(r.Headers, [2]string{name, v})
			}
		}
		a, err := Host(context.Background(), &Cache{}, vh, HCM{}, r)
		if err != nil || a.Cluster != c.want || (a.Status == 404) != (c.want == "") {
			t.Errorf("%+v: %q %d (%v)", c, a.Cluster, a.Status, err)
		}
	}
	net := func(kind string) string {
		return `{"name": "n", "typedConfig": {"@type": "type.googleapis.com/envoy.extensions.matching.common_inputs.network.v3.` + kind + `"}}`
	}
	name := func(s string) string {
		return `{"action": {"name": "` + s + `", "typedConfig": {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": "` + s + `"}}}`
	}
	listener := value(t, `{"listenerFilters": [{"name": "envoy.filters.listener.http_inspector"}], "filterChains": [{"name": "svc"}, {"name": "net"}, {"name": "http"}], "defaultFilterChain": {"name": "default"}, "filterChainMatcher": {"matcherTree": {"input": `+net("DestinationIPInput")+`, "customMatch": {"name": "ip", "typedConfig": {"@type": "type.googleapis.com/xds.type.matcher.v3.IPMatcher", "rangeMatchers": [
		{"ranges": [{"addressPrefix": "10.1.0.0", "prefixLen": 16}], "onMatch": `+name("net")+`},
		{"ranges": [{"addressPrefix": "10.1.1.1", "prefixLen": 32}], "onMatch": {"matcher": {"matcherTree": {"input": `+net("DestinationPortInput")+`, "exactMatchMap": {"map": {"80": `+name("svc")+`, "81": `+name("gone")+`}}}}}},
		{"ranges": [{"addressPrefix": "10.2.0.0", "prefixLen": 16}], "onMatch": {"matcher": {"matcherTree": {"input": `+net("ApplicationProtocolInput")+`, "exactMatchMap": {"map": {"'h2c'": `+name("http")+`}}}}}}]}}}}}`)
	for _, c := range []struct {
		ip   string
		port int
		alpn []string
		want string
	}{
		{"10.1.1.1", 80, nil, "svc"}, {"10.1.1.1", 82, nil, "net"}, {"10.1.1.1", 81, nil, ""}, {"10.1.2.3", 80, nil, "net"},
		{"10.2.0.1", 80, []string{"h2c"}, "http"}, {"10.2.0.1", 80, nil, "default"}, {"10.3.0.1", 80, nil, "default"},
	} {
		taken, err := Chain(context.Background(), &Cache{}, Envoy{}, listener, Request{Destination: c.ip, DestinationPort: c.port, ALPN: c.alpn}, Seen{})
		if err != nil {
			t.Fatal(err)
		}
		chain, _ := taken.Chain.(*object.Object)
		if got, _ := chain.Get("name").(string); got != c.want || taken.Default != (c.want == "default") {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

func TestScope(t *testing.T) {
	scopes := value(t, `{"name": "s", "scopeKeyBuilder": {"fragments": [
		{"headerValueExtractor": {"name": "X-Zone", "elementSeparator": ",", "index": 1}},
		{"headerValueExtractor": {"name": "x-who", "elementSeparator": ";", "element": {"separator": "=", "key": "team"}}}]},
		"scopedRouteConfigurationsList": {"scopedRouteConfigurations": [
		{"name": "a", "key": {"fragments": [{"stringKey": "east"}, {"stringKey": "shop"}]}}, {"name": "b", "key": {"fragments": [{"stringKey": "west"}, {"stringKey": "shop"}]}}]}}`)
	for _, c := range []struct{ zone, who, want string }{
		{"x,west", "org=1;team=shop", "b"}, {"x,east,y", "team=shop", "a"}, {"x", "team=shop", ""}, {"x,east", "org=shop", ""}, {"x,north", "team=shop", ""},
	} {
		r := Request{Headers: [][2]string{{"x-zone", c.zone}, {"x-who", c.who}}}
		v, why, err := Scope(context.Background(), &Cache{}, Envoy{}, scopes, r)
		m, _ := v.(*object.Object)
		if got, _ := m.Get("name").(string); got != c.want || why != "" || err != nil {
			t.Errorf("%+v: %q %s %v", c, got, why, err)
		}
	}
	if _, why, _ := Scope(context.Background(), &Cache{}, Envoy{}, value(t, `{"name": "s", "scopedRds": {}}`), Request{}); why != "scoped routes s" {
		t.Errorf("scopes from elsewhere: %q", why)
	}
}

// TestNearNamesTheFailedCondition checks which routes are near misses, and the
// failed condition of each.
func TestNearNamesTheFailedCondition(t *testing.T) {
	vh := value(t, `{"name": "v", "routes": [
		{"name": "a", "match": {"prefix": "/x", "headers": [{"name": "user", "stringMatch": {"exact": "jason"}}]}, "route": {"cluster": "a"}},
		{"name": "b", "match": {"prefix": "/y"}, "route": {"cluster": "b"}},
		{"name": "c", "match": {"prefix": "/x", "queryParameters": [{"name": "q", "stringMatch": {"prefix": "z"}}]}, "route": {"cluster": "c"}},
		{"name": "d", "match": {"path": "/x"}, "route": {"cluster": "d"}},
		{"name": "e", "match": {"prefix": "/x", "grpc": {}}, "route": {"cluster": "e"}}]}`)
	said := func(path string) (out []string) {
		a, err := Host(context.Background(), &Cache{}, vh, HCM{}, Request{Path: path, Headers: [][2]string{{"user", "bob"}}})
		if err != nil {
			t.Fatal(err)
		}
		near, err := a.Near()
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range near {
			out = append(out, n.Object.(*object.Object).Get("name").(string)+": "+n.Why)
		}
		return out
	}
	a, c := `a: header user is "bob"; it must be "jason"`, `c: query parameter q is missing; it must be a string starting with "z"`
	for path, want := range map[string][]string{
		"/x":  {a, c},
		"/x1": {a, c, "e: it is not gRPC"},
		"/y":  nil,
		"/z":  {"a: the path is not /x*", "b: the path is not /y*", "c: the path is not /x*", "d: the path is not /x", "e: the path is not /x*"},
	} {
		if got := said(path); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

// BenchmarkConfiguration measures a request to a route configuration with 10,000
// virtual hosts.
func BenchmarkConfiguration(b *testing.B) {
	hosts := make([]any, 10_000)
	for i := range hosts {
		name := fmt.Sprintf("svc-%d.ns-%d.svc.cluster.local", i, i%100)
		hosts[i] = object.Of(
			"name", name, "domains", []any{name, name + ":80", strings.TrimSuffix(name, ".svc.cluster.local")},
			"routes", []any{object.Of("match", object.Of("prefix", "/"), "route", object.Of("cluster", "outbound|80||"+name))},
		)
	}
	rc := mesh.NewObject("RouteConfiguration", nil, object.Of("virtualHosts", append(hosts, object.Of("name", "*", "domains", []any{"*"}))))
	x := &Cache{}
	for b.Loop() {
		a, err := Configuration(context.Background(), x, rc, HCM{}, Request{Host: "svc-7777.ns-77", Path: "/", Headers: [][2]string{{"user-agent", "curl"}}})
		if err != nil || a.Cluster != "outbound|80||svc-7777.ns-77.svc.cluster.local" {
			b.Fatal(a.Cluster, err)
		}
	}
}

// TestShadowReportsOnlyCertainty checks that Shadow reports a shadowing route only
// if the result is certain.
func TestShadowReportsOnlyCertainty(t *testing.T) {
	for _, c := range []struct {
		ahead, route string
		want         bool
	}{
		{`{"prefix": "/"}`, `{"prefix": "/a"}`, true},
		{`{"prefix": "/"}`, `{"safeRegex": {"regex": "/a.*"}}`, true},
		{`{"prefix": "/"}`, `{"connectMatcher": {}}`, false},
		{`{"prefix": "/a"}`, `{"path": "/ab"}`, true},
		{`{"prefix": "/a"}`, `{"prefix": "/"}`, false},
		{`{"prefix": "/A"}`, `{"path": "/a"}`, false},
		{`{"prefix": "/A", "caseSensitive": false}`, `{"path": "/a"}`, true},
		{`{"prefix": "/a"}`, `{"path": "/a", "caseSensitive": false}`, false},
		{`{"prefix": "/", "headers": [{"name": "x"}]}`, `{"prefix": "/a"}`, false},
		{`{"prefix": "/", "headers": [{"name": "x"}]}`, `{"prefix": "/a", "headers": [{"name": "x"}]}`, true},
		{`{"prefix": "/", "headers": []}`, `{"prefix": "/a", "headers": [{"name": "x"}]}`, true},
		{`{"prefix": "/", "runtimeFraction": {"defaultValue": {"numerator": 5}}}`, `{"prefix": "/", "runtimeFraction": {"defaultValue": {"numerator": 5}}}`, false},
		{`{"path": "/a"}`, `{"path": "/a", "grpc": {}}`, true},
		{`{"path": "/a"}`, `{"prefix": "/a"}`, false},
		{`{"pathSeparatedPrefix": "/a"}`, `{"path": "/a/b"}`, true},
		{`{"pathSeparatedPrefix": "/a"}`, `{"path": "/ab"}`, false},
		{`{"pathSeparatedPrefix": "/a"}`, `{"prefix": "/a"}`, false},
		{`{"pathSeparatedPrefix": "/a"}`, `{"prefix": "/a/b"}`, true},
		{`{"safeRegex": {"regex": ".*"}}`, `{"prefix": "/a"}`, true},
		{`{"safeRegex": {"regex": "/a+"}}`, `{"path": "/a"}`, false},
	} {
		route := func(match string) any { return object.Of("match", value(t, match)) }
		got, err := Shadow(context.Background(), []any{route(c.ahead)}, route(c.route))
		if err != nil || (got >= 0) != c.want {
			t.Errorf("%s ahead of %s: %v, want %v (%v)", c.ahead, c.route, got >= 0, c.want, err)
		}
	}
}
