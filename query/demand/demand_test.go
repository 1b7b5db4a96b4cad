package demand_test

import (
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/query"
	"github.com/meshq/kubectl-meshq/query/demand"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

func TestSections(t *testing.T) {
	columns := func(kind string) ([]string, bool) {
		switch kind {
		case "Proxy":
			return []string{"id", "sync.rds.status"}, true
		case "Cluster":
			return []string{"name", "circuitBreakers.thresholds", "type"}, true
		}
		return nil, false
	}
	for _, c := range []struct{ query, uses, shown string }{
		{`.proxies[] | outline`, "", ""},
		{`.proxies | length`, "", ""},
		{`.proxies[]`, "all", ""},
		{`.proxies[].clusters | length`, "clusters: count", "clusters: count"},
		{`.proxies[].clusters[]`, "clusters: all", "clusters: circuitBreakers.thresholds, name, type"},
		{`.proxies[].clusters`, "clusters: all", "clusters: all"},
		{`.proxies[] | select(.clusters) | .id`, "clusters: whether it is there", "clusters: whether it is there"},
		{`[.proxies[].clusters[].name]`, "clusters: name", "clusters: name"},
		{`.proxies[].clusters[] | {name, t: .circuitBreakers.thresholds[0].maxRequests}`, "clusters: circuitBreakers.thresholds, name", "clusters: circuitBreakers.thresholds, name"},
		{`.proxies[].clusters[] | keys`, "clusters: all", "clusters: all"},
		{`.proxies[].clusters[] | select(.name | test("x"))`, "clusters: all", "clusters: circuitBreakers.thresholds, name, type"},
		{`.proxies[] | select(.rds == "STALE") | .server.version`, "server: version", "server: version"},
		{`.proxy("a").cluster("b").type`, "clusters: name, type", "clusters: name, type"},
		{`.proxy("a") | cluster("b"), secret("default").notAfter`, "clusters: all; secrets: name, notAfter", "clusters: circuitBreakers.thresholds, name, type; secrets: name, notAfter"},
		{`.cluster("b").type`, "clusters: name, type", "clusters: name, type"},
		{`.proxy("a").route("80").virtualHosts | length`, "routes: name, virtualHosts", "routes: name, virtualHosts"},
		{`.proxy("a").virtualHost("x").name`, "routes: virtualHosts", "routes: virtualHosts"},
		{`.proxy("a").endpoint("x").health`, "endpoints: address, cluster, health, hostname, ip", "endpoints: address, cluster, health, hostname, ip"},
		{`.proxies[] | {n: .name, c: (.clusters | length), r: [.routes[].name]}`, "clusters: count; routes: name", "clusters: count; routes: name"},
		{`.proxies[] | select(stale) | .stats`, "stats: all", "stats: all"},
		{`.proxies[] | desired.clusters[]`, "", ""},
		{`.proxies | map(.clusters) | add | length`, "clusters: count", "clusters: count"},
		{`..`, "all", "all"},
	} {
		uses := func(results *demand.Tree) string {
			tree := query.Demand(c.query, results).As("Mesh", columns)
			var all []string
			for _, u := range tree.Sections() {
				all = append(all, u.String())
				if h := u.Hint(); (h.Fields == nil) != strings.HasSuffix(u.String(), ": all") {
					t.Errorf("%s: %s: hint %v", c.query, u, h)
				}
			}
			if len(all) == len(mesh.Sections()) {
				return "all"
			}
			return strings.Join(all, "; ")
		}
		if got := uses(nil); got != c.uses {
			t.Errorf("%s: %s, want %s", c.query, got, c.uses)
		}
		if got := uses(&demand.Tree{Shown: true}); got != c.shown {
			t.Errorf("%s printed as a table: %s, want %s", c.query, got, c.shown)
		}
	}
}

func TestOf(t *testing.T) {
	for _, c := range [][2]string{
		{`.`, `*`},
		{`[.clusters[].name]`, `{clusters:{# []:{name:*}}}`},
		{`.clusters[]|select(.name=="x")|.lb_policy`, `{clusters:{# []:{lb_policy:* name}}}`},
		{`[.clusters[]|select(.type=="EDS")]|length`, `{clusters:{# []:{type}}}`},
		{`.routes[]|select(.name=="http.80" or .name=="9080")|.virtual_hosts|length`, `{routes:{# []:{name virtual_hosts:{#}}}}`},
		{`.clusters|length`, `{clusters:{#}}`},
		{`.clusters[]`, `{clusters:{# []:*}}`},
		{`.clusters|map({name, p: .lb_policy})|sort_by(.name)|.[0]`, `{clusters:{# []:{lb_policy:* name:*}}}`},
		{`.clusters|group_by(.type)|map({t: .[0].type, n: length})`, `{clusters:{# [:]:{type:*}}}`},
		{`any(.clusters[]; .name|test("reviews"))`, `{clusters:{# []:{name}}}`},
		{`first(.clusters[]|select(.name=="x"))|{name,type}`, `{clusters:{# []:{name:* type:*}}}`},
		{`[limit(3; .clusters[].name)]`, `{clusters:{# []:{name:*}}}`},
		{`.proxies[]|select(.rds=="STALE")|.clusters|length`, `{proxies:{# []:{clusters:{#} rds}}}`},
		{`.proxies[] | select(stale) | .name`, `{proxies:{# []:{name:* sync:{# []:{status}}}}}`},
		{`.proxies[] | desired.clusters`, `{proxies:{# []:{desired:{clusters:*}}}}`},
		{`.proxies[] as $p | $p.clusters[] as {$name, type: $t} | [$p.name, $name, $t]`, `{proxies:{# []:{clusters:{# []:{name:* type:*}} name:*}}}`},
		{`reduce .proxies[] as $p ({}; .[$p.name] = ($p.clusters|length))`, `{proxies:{# []:{clusters:{#} name:*}}}`},
		{`[.proxies[] | {name, n: ([.clusters[]|select(.type=="EDS")]|length)}]`, `{proxies:{# []:{clusters:{# []:{type}} name:*}}}`},
		{`.clusters|to_entries|map(.value.name)`, `{clusters:{# []:{name:*}}}`},
		{`.clusters|INDEX(.name)|.["x"].type`, `{clusters:{# []:{name:* type:*}}}`},
		{`[.. | .name? // empty]`, `*`},
		{`.clusters |= length`, `*`},
		{`del(.clusters)`, `*`},
		{`.clusters|map(.name)|join(",")`, `{clusters:{# []:{name}}}`},
		{`[.clusters[]|select(.name|startswith("out"))|.eds_cluster_config.service_name] | unique`, `{clusters:{# []:{eds_cluster_config:{service_name:*} name}}}`},
		{`def stale: .proxies[]|select(.rds=="STALE"); [stale|.clusters[].name] + [stale|.name]`, `{proxies:{# []:{clusters:{# []:{name:*}} name:* rds}}}`},
		{`[foreach .clusters[] as $c (0; .+1; [$c.name, .])]`, `{clusters:{# []:{name:*}}}`},
		{`.clusters[] | "\(.name) \(.type)"`, `{clusters:{# []:{name:* type:*}}}`},
		{`.clusters[] | [.name, .type] | @tsv`, `{clusters:{# []:{name:* type:*}}}`},
		{`.clusters as $c | .routes[] | .virtual_hosts[].routes[].route.cluster as $n | $c[] | select(.name==$n) | .type`, `{clusters:{# []:{name:* type:*}} routes:{# []:{virtual_hosts:{# []:{routes:{# []:{route:{cluster:*}}}}}}}}`},
		{`.clusters | map(select(.name=="x")) | .[0]`, `{clusters:{# []:*}}`},
		{`.clusters | min_by(.name) | .type`, `{clusters:{# [:]:{name:* type:*}}}`},
		{`.clusters | unique_by(.type) | map(.name)`, `{clusters:{# ?:{name:*} [:]:{name:* type:*}}}`},
		{`[.clusters[] | .name as $n | if $n == "a" then .type else .lb_policy end]`, `{clusters:{# []:{lb_policy:* name type:*}}}`},
		{`.proxies | with_entries(.value |= .name)`, `{proxies:{# []:*}}`},
		{`.a as {b: $x, c: [$y]} | [$x.d, $y]`, `{a:{b:{d:*} c:{# [:]:*}}}`},
		{`.a as [$x] ?// {b: $x} | $x.d`, `{a:{# b:{d:*} [:]:{d:*}}}`},
		{`"b" as $k | .a[$k].c`, `{a:{b:{c:*}}}`},
		{`def f($k): .[$k]; .a | f("b") | length`, `{a:{b:{#}}}`},
		{`def f(g): [.[] | g]; .a | f(.b) | f(.c)`, `{a:{# []:{b:{c:*}}}}`},
		{`def f: if .a then .b | f else . end; f`, `*`},
		{`. as $d | def f: if .a then $d.x | f else 1 end; f`, `{a x:*}`},
		{`.a | if type == "array" then .[0].b else .c end`, `{a:{# c:* [:]:{b:*}}}`},
		{`[paths]`, `*`},
		{`path(.a[].b)`, `{a:{# []:{b}}}`},
		{`.a.b += 1 | .c`, `{a:{b:*} c:*}`},
		{`(.a[] | select(.b == 1)) |= {x: .y} | .c`, `{a:{# []:{b y:*}} c:*}`},
		{`del(.a[] | select(.b == 1)) | .c`, `{a:{# []:{b}} c:*}`},
		{`.a + .b | length`, `{a:{#} b:{#}}`},
		{`.a == .b`, `{a:* b:*}`},
		{`.a == null`, `{a}`},
		{`getpath(["a", "b"]).c`, `{a:{b:{c:*}}}`},
		{`.a | keys`, `{a:{#}}`},
		{`{x: .a, y: .b} | .x.c`, `{a:{c:*}}`},
		{`[.a, .b] | .[0].c`, `{a:{c:*} b:{c:*}}`},
		{`.a as $x | {$x, z: .b} | .x.c`, `{a:{c:*}}`},
		{`try error(.a) catch .b`, `{a:*}`},
		{`label $out | .a[] | .b, break $out`, `{a:{# []:{b:*}}}`},
		{`limit(.n; .a[].b)`, `{a:{# []:{b:*}} n:*}`},
		{`.a | isempty(.[])`, `{a:{#}}`},
		{`.a | any(.b)`, `{a:{# []:{b}}}`},
		{`import "m" as m; .a | m::f(.b)`, `{a:*}`},
		{`.a | unknown(.b)`, `{a:*}`},
		{`@json "x\(.a.b)"`, `{a:{b:*}}`},
		{`reduce .a[] as {b: $x} (.s; . + $x)`, `{a:{# []:{b:*}} s:*}`},
		{`input | .a`, `-`},
		{`$x.y, .a`, `{a:*}`},
	} {
		if got := query.Demand(c[0], nil).String(); got != c[1] {
			t.Errorf("{`%s`, `%s`},", c[0], got)
		}
	}
}

// TestFew checks that a condition on a name is recognized as selecting only a few
// elements.
func TestFew(t *testing.T) {
	for _, c := range []struct {
		query string
		few   bool
	}{
		{`.proxy("a").cluster("b")`, true},
		{`.proxies[].clusters[] | select(.name == "x")`, true},
		{`.proxies[].clusters[] | select(.name | test("x"))`, true},
		{`.proxies[].clusters[] | select(.name == "x" and .type == "EDS")`, true},
		{`.proxies[].clusters[] | select("x" == .name or (.name | startswith("y")))`, true},
		{`.proxies[].clusters | map(select(.name == "x"))`, true},
		// a few fields of all elements are requested, instead of a few whole elements
		{`.proxies[].clusters[] | select(.name == "x") | {type, lbPolicy}`, false},
		{`.proxies[].clusters[] | select(.name == "x" or .type == "EDS")`, false},
		{`.proxies[].clusters[] | select(.type == "EDS")`, false},
		{`.proxies[].clusters[] | select(.name == "x"), .`, false},
		{`.proxies[].clusters`, false},
		{`.proxies[] | .clusters[] | select(.name == "x"), tojson`, false},
	} {
		for _, u := range query.Demand(c.query, nil).As("Mesh", nil).Sections() {
			if h := u.Hint(); h.Few != c.few || h.Few && h.Fields != nil {
				t.Errorf("%s: %v", c.query, h)
			}
		}
	}
}
