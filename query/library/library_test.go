package library_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/itchyny/gojq"

	"github.com/meshq/kubectl-meshq/query"
	"github.com/meshq/kubectl-meshq/query/eval"
	"github.com/meshq/kubectl-meshq/query/library"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

const now = 1_700_000_000 // seconds since 1970: 2023-11-14T22:13:20Z

func ask(t *testing.T, in any, src string) (string, error) {
	t.Helper()
	p, err := query.Compile(src, query.Options{})
	if err != nil {
		t.Fatal(src, err)
	}
	var out []string
	o := eval.RunOptions{Now: func() float64 { return now }, Note: func(s string) { out = append(out, "note: "+s) }}
	err = p.Run(context.Background(), in, nil, o, func(v any) error {
		v, err := mesh.Deep(context.Background(), v)
		if err != nil {
			return err
		}
		text, err := gojq.Marshal(object.ToPlain(v))
		out = append(out, string(text))
		return err
	})
	return strings.Join(out, "\n"), err
}

type expectation struct{ src, want string }

func check(t *testing.T, in any, all []expectation) {
	t.Helper()
	for _, c := range all {
		got, err := ask(t, in, c.src)
		if err != nil {
			got = strings.TrimSpace(got + "\nerror: " + err.Error())
		}
		if got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.src, got, c.want)
		}
	}
}

func TestValues(t *testing.T) {
	check(t, nil, []expectation{
		{`"2023-11-14T22:13:10Z" | age`, "10"},
		{`"2023-11-14T22:13:30.5Z" | age`, "-11"},
		{`null | age`, "null"},
		{`"2023-11-15T22:13:20Z" | within("24h"), within("1d"), within(86399), within("23h59m")`, "true\ntrue\nfalse\nfalse"},
		{`"2023-11-14T00:00:00Z" | within("24h")`, "true"},
		{`null | within("1h")`, "false"},
		{`"x" | within("1h")`, `error: "x" is no time like 2006-01-02T15:04:05Z`},
		{`"2023-11-14T22:13:20Z" | within("soon")`, `error: "soon" is no duration like 90s, 15m, 72h or 7d`},
		{`"10.1.2.3" | cidr("10.0.0.0/8"), cidr("10.2.0.0/16")`, "true\nfalse"},
		{`"::ffff:10.1.2.3", "fd00::1", "unix:///x", null | cidr("10.0.0.0/8")`, "true\nfalse\nfalse\nfalse"},
		{`"10.1.2.3" | cidr("10")`, `error: "10" is no CIDR block like 10.0.0.0/8`},
		{`"1.31.0" | semver("1.31"), semver("1.31.x"), semver(">=1.30 <1.32"), semver("<1.31"), semver("!=1.31.0"), semver("1.30.0")`, "true\ntrue\ntrue\nfalse\nfalse\nfalse"},
		{`"1.31.0-alpha.1" | semver("<1.31.0"), semver(">1.31.0-alpha.0"), semver("<1.31.0-beta"), semver("1.31.0")`, "true\ntrue\ntrue\nfalse"},
		{`"1.9.0" | semver("<1.10")`, "true"},
		{`"1.24-alpha.f5ee", "1.24-dev" | semver("1.24"), semver("<1.24"), semver(">=1.23")`, "true\ntrue\ntrue\ntrue\ntrue\ntrue"},
		{`"1.31.5" | semver("1.31"), semver("!=1.31"), semver("!=1.30")`, "true\nfalse\ntrue"},
		{`"2023-11-14T22:13:20Z" | within("Infd")`, `error: "Infd" is no duration like 90s, 15m, 72h or 7d`},
		{`null, "unknown" | semver(">0")`, "false\nfalse"},
		{`"1.2.3" | semver("new")`, `error: "new" is no version range like >=1.20 <1.31`},
	})
}

// proxies returns a small mesh of completely loaded values.
func proxies() any {
	one := func(id, pod, workload string, sync *object.Object) any {
		fields := object.Of("id", id, "name", pod, "workload", workload, "clusterID", "c", "connected", true, "sync", sync, "clusters", []any{
			object.Of("kind", "Cluster", "name", "x", "state", "ACTIVE"), object.Of("kind", "Cluster", "name", "y", "state", "ACTIVE"),
		})
		return mesh.NewObject("Proxy", nil, fields)
	}
	words := func(cds, rds string) *object.Object {
		return object.Of("cds", object.Of("status", cds), "rds", object.Of("status", rds))
	}
	return mesh.NewObject("Mesh", nil, object.Of("proxies", []any{
		one("web-1.shop", "web-1", "web", words("SYNCED", "IGNORED")),
		one("web-2.shop", "web-2", "web", words("STALE", "SYNCED")),
		one("webhook-1.shop", "webhook-1", "webhook", words("NOT SENT", "ERROR")),
	}))
}

func TestLookups(t *testing.T) {
	check(t, proxies(), []expectation{
		{`.proxy("web-1").id`, `"web-1.shop"`},
		{`.proxy("web").id`, "note: web is 2 proxies; this is the first, web-1.shop\n" + `"web-1.shop"`},
		{`.proxy("we").id`, "error: we is 3 proxies: web-1.shop, web-2.shop, webhook-1.shop"},
		{`.proxy("hook").id`, "error: no proxy named hook; did you mean webhook-1.shop?"},
		{`[.proxies("web") | .id]`, `["web-1.shop","web-2.shop"]`},
		{`[.proxies("none")]`, "[]"},
		{`.proxies | proxy("web-2").id`, `"web-2.shop"`},
		{`.proxy("web-1").cluster("x").name`, `"x"`},
		{`[.proxy("web-1") | cluster("none")]`, "[]"},
		{`[.cluster("y")] | length`, "3"},
		{`[1 | cluster("y")]`, "[]"},
		{`[[1, "a", null] | cluster("y"), virtualHost("y"), endpoint("y")]`, "[]"},
		{`[{clusters: 5} | cluster("y")]`, "[]"},
		{`[.proxies | cluster("y") | .name]`, `["y","y","y"]`},
		{`[.proxies[0].clusters | cluster("y") | .name]`, `["y"]`},
		{`1 | proxy("x")`, "error: proxy looks in the mesh, or in an array of proxies"},
		{`.proxy(1)`, "error: proxy takes a name, a string"},
		{`[.proxies[] | synced]`, "[true,false,false]"},
		{`[.proxies[] | stale]`, "[false,true,false]"},
		{`stale`, "error: only a proxy is synced or stale"},
		{`.proxies[0].clusters[0] | synced`, "error: only a proxy is synced or stale"},
	})
}

func TestMatchIsBoth(t *testing.T) {
	rc := `{kind: "RouteConfiguration", virtualHosts: [
		{name: "a", domains: ["a.com"], routes: [{name: "r", match: {path: "/x"}, route: {cluster: "cx"}}, {match: {prefix: "/"}, route: {weightedClusters: {clusters: [{name: "c1", weight: 1}, {name: "c2", weight: 3}]}}}]},
		{name: "all", domains: ["*"], routes: [{match: {prefix: "/old"}, redirect: {pathRedirect: "/new"}}, {match: {prefix: "/no"}, directResponse: {status: 403}}]}]}`
	check(t, nil, []expectation{
		{rc + ` | match("http://a.com/x") | [.cluster, .virtualHost, .url, .name]`, `["cx","a","http://a.com/x","r"]`},
		{rc + ` | match("GET http://a.com/") | [.cluster, .clusters]`, `[null,[{"name":"c1","share":0.25},{"name":"c2","share":0.75}]]`},
		{rc + ` | match({host: "a.com", random: 2}).cluster`, `"c2"`},
		{rc + ` | match({headers: {host: "a.com"}, path: "/x"}).cluster`, `"cx"`},
		{rc + ` | [.virtualHosts[0] | .kind = "VirtualHost" | match("/x?q=1").url]`, `["/x?q=1"]`},
		{rc + ` | [.] | match("http://a.com/x").cluster`, `"cx"`},
		{rc + ` | .virtualHosts | map(.kind = "VirtualHost") | [match("http://a.com/x", "http://b.com/no", "/x") | .virtualHost]`, `["a","all","a"]`},
		{rc + ` | match("/old") | .redirectTo`, `{"location":"http:///new","status":301}`},
		{rc + ` | match({host: "b.com", path: "/no"}).directStatus`, "403"},
		{rc + ` | [match("/other")]`, "[]"},
		{rc + ` | [.virtualHosts[0] | .kind = "VirtualHost" | match("/x").cluster]`, `["cx"]`},
		{rc + ` | match({path: "/x", speed: 1})`, "error: a request has no speed; it has alpn, destination, digests, directSource, headers, host, method, path, port, principal, random, scheme, sni, source, tls, url"},
		{rc + ` | match({port: "80"})`, "error: a request's port can't be a string"},
		{rc + ` | match("ftp://x")`, `error: "ftp://x" is no request like /path or GET http://host:port/path`},
		{`"test" | match("t.").string`, `"te"`},
		{`"aba" | [match("a"; "g").offset]`, "[0,2]"},
		{`"aXbx" | [match(["x", "gi"]).offset]`, "[1,3]"},
		{`1 | try match("x") catch .`, `"number (1) cannot be matched, as it is not a string"`},
	})
}

func TestDocumentation(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range library.Functions() {
		key := fmt.Sprintf("%s/%d", f.Name, len(f.Params))
		if seen[key] {
			t.Errorf("%s is documented twice", key)
		}
		seen[key] = true
		if _, err := query.Compile("."+f.Name+"("+strings.TrimSuffix(strings.Repeat("1;", len(f.Params)), ";")+")", query.Options{}); err != nil {
			t.Errorf("%s is documented, and can't be called so: %v", f.Signature, err)
		}
	}
	programs, err := library.Programs()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range programs {
		for _, d := range p.Query.FuncDefs {
			if !strings.HasPrefix(d.Name, "_") && !seen[fmt.Sprintf("%s/%d", d.Name, len(d.Args))] {
				t.Errorf("%s: %s is not documented", p.File, d.Name)
			}
		}
	}
}

// TestMatchOfListeners checks that match follows a sidecar's listener: the listener
// inspects plain-text connections for HTTP, and the result determines the filter chain.
func TestMatchOfListeners(t *testing.T) {
	listener := func(filter string) string {
		return `{kind: "Listener", port: 80, listenerFilters: [` + filter + `], filterChains: [{filterChainMatch: {applicationProtocols: ["http/1.1", "h2c"]}, filters: [{name: "http", typedConfig: {httpFilters: [],
			routeConfig: {virtualHosts: [{name: "all", domains: ["*"], routes: [{match: {prefix: "/"}, route: {cluster: "c"}}]}]}}}]}], defaultFilterChain: {filters: [{name: "tcp"}]}} | match(`
	}
	inspector := `{name: "envoy.filters.listener.http_inspector", filterDisabled: {orMatch: {rules: [{notMatch: {destinationPortRange: {start: 80, end: 90}}}, {destinationPortRange: {start: 85, end: 86}}]}}}`
	tcp := `["no HTTP: tcp"]`
	check(t, nil, []expectation{
		{listener(inspector) + `"/x").cluster`, `"c"`},
		{listener(inspector) + `"http://x:89/").cluster`, `"c"`},
		{listener(inspector) + `"http://x:85/").unsupported`, tcp},
		{listener(inspector) + `"http://x:90/").unsupported`, tcp},
		{listener(inspector) + `"https://x:80/").unsupported`, tcp},
		{listener(inspector) + `{alpn: ["other"]}).unsupported`, tcp},
		{listener("") + `"/x").unsupported`, tcp},
	})
}
