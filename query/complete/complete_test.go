package complete_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/query/complete"
	"github.com/meshq/kubectl-meshq/query/eval"
	"github.com/meshq/kubectl-meshq/query/library"
	"github.com/meshq/kubectl-meshq/sources"
)

func options() complete.Options {
	o := complete.Options{Schema: sources.NewSchema(), Root: "Mesh", Variables: []string{"$ARGS", "$ns"}}
	for _, f := range library.Functions() {
		o.Functions = append(o.Functions, complete.Function{Name: f.Name, Params: f.Params, Doc: f.Doc})
	}
	return o
}

// offered returns the texts of the candidates for a source.
func offered(src string, o complete.Options) (all []string) {
	r := complete.Query(src, o)
	for _, c := range r.Candidates {
		all = append(all, c.Text)
	}
	return all
}

// TestQuery checks the candidates at the end of a query. A word that begins with "!" must
// not be a candidate. If the list of words begins with "=", no other word may be a
// candidate.
func TestQuery(t *testing.T) {
	o := options()
	for src, want := range map[string]string{
		// These sources end with a field.
		".":                             "proxies pilots services kind !name !age() proxy(\"",
		".pro":                          `= proxies proxies(" proxy(" proxyConfigs`,
		".proxies[].":                   `clusters sync rds trace(" desired() synced() route(" !lbPolicy !match(" !fqdn !age()`,
		".proxies[].clu":                `= cluster(" clusterID clusters`,
		".proxies[].clusters[].lb":      "= lbPolicy lbSubsetConfig",
		".proxies[0].sync.rds.":         "= acked age error percent pushesBehind sent sentAt status",
		".proxies[]?.locality.":         "= region subZone zone",
		".proxies[0:2][].sync.c":        "= cds",
		".services[].spec.cl":           "= clusterIP clusterIPs",
		".services[].metadata.n":        "= name namespace",
		".proxies[].bootstrap.st":       "= staticResources statsConfig statsEvictionInterval statsFlushInterval statsFlushOnAdmin statsServerVersionOverride statsSinks",
		".proxies":                      "= proxies proxies(\"",
		".pilots":                       "= pilots[].",
		".proxies[].sync":               "= sync synced()",
		".proxies[].locality":           "= locality.",
		".proxies[].version":            "= version",
		".proxies.":                     `[]. .cluster(" .route(" !name`,
		".proxies[].name.":              "= age() cidr( match(\" semver( within(\"",
		".proxies[].nothing.":           "=",
		"..":                            "=",
		".pilots[].remoteClusters[":     "= ]",
		".pilots[0].remoteClusters[0].": "= id secretName syncStatus",
		".proxies[].listeners[].filterChains[].filters[].typedConfig.ht": "= http1SafeMaxConnectionDuration http2ProtocolOptions http3ProtocolOptions httpFilters httpProtocolOptions",
		".proxies[].routes[].virtualHosts[].routes[].match.pa":           "= path pathMatchPolicy pathSeparatedPrefix",
		`.proxies[]."na`:   `= name" namespace"`,
		`.proxies[].["na`:  `= name"] namespace"]`,
		`.["pro`:           `= proxies"] proxyConfigs"]`,
		`.proxies[0]["clu`: `= clusterID"] clusters"]`,

		// These sources end with a field after a pipe, a call or a variable definition.
		`.proxies[] | select(.rds=="STALE") | .clus`:            `= cluster(" clusterID clusters`,
		`.proxy("x").route("http.80").`:                         `match(" virtualHosts state !clusters`,
		`.proxy("x").route("http.80").match("/").`:              "cluster clusters url redirectTo directStatus !virtualHosts",
		`proxy("x") | trace("http://y/").endpoints[0].ad`:       "= address",
		`.proxies | map(.cl`:                                    `= cluster(" clusterID clusters`,
		`.proxies | sort_by(.na`:                                "= name namespace",
		`[.proxies[].clusters[]] | group_by(.fq`:                "= fqdn",
		`[.proxies[].clusters[]] | group_by(.fqdn)[] | .[0].fq`: "= fqdn",
		`.proxies | first.sy`:                                   "= sync synced()",
		`[limit(3; .proxies[])] | .[0].sy`:                      "= sync synced()",
		// a user may add a second argument to any, so the values are those that a first
		// argument of two may yield
		`.proxies[] | any(.ver`:                         "= version",
		`diff(.pr`:                                      `= proxies proxies(" proxy(" proxyConfigs`,
		`any(.proxies[]; .sy`:                           "= sync synced()",
		`.proxies[] as $p | $p.sy`:                      "= sync synced()",
		`. as {proxies: [$a]} | $a.sy`:                  "= sync synced()",
		`.proxies[0] as {$sync} | $sync.c`:              "= cds",
		`. as $m | .proxies[] | $m.prox`:                `= proxies proxies(" proxy(" proxyConfigs`,
		`reduce .proxies[] as $p ({}; .[$p.na`:          "= name namespace",
		`reduce .prox`:                                  `= proxies proxies(" proxyConfigs proxy("`,
		`reduce .proxies[] as $p (0; . + 1) | .`:        "=",
		`foreach .proxies[] as $p (0; . + 1; $p.na`:     "= name namespace",
		`if .proxies[0].connected then .pil`:            "= pilots",
		`if .pil`:                                       "= pilots",
		`if . then 1 elif .pil`:                         "= pilots",
		`if . then 1 else .pil`:                         "= pilots",
		`if . then 1 else 2 end | .pil`:                 "=",
		`try .pil`:                                      "= pilots",
		`"\(.pil`:                                       "= pilots",
		`"\(.pilots[0].name) and \(.pil`:                "= pilots",
		`"a\(1)b" | .pil`:                               "=",
		`[.proxies[] | {name, up: .connected}] | .[0].`: "= name up",
		`{a: .proxies[0]} + {b: 1} | .a.sy`:             "= sync synced()",
		`{a: .proxies[0]} + {b: 1} | .`:                 "= a b",
		`{(.pil`:                                        "= pilots",
		`{("a" + "b"): .pil`:                            "= pilots",
		`{a: 1, "b": .pil`:                              "= pilots",
		`{"b\(.pil`:                                     "= pilots",
		`def f(g): .proxies[] | g; f(.sy`:               "= sync synced()",
		`def f($x): $x.sy`:                              "=",
		`def f: .proxies[]; f.sy`:                       "= sync synced()",
		`def f: f; f | .`:                               "=",
		`.proxies[] | to_entries[] | .`:                 "= key value",
		`.proxies | INDEX(.id)[].sy`:                    "= sync synced()",
		`.proxies | map({key: .id, value: .}) | from_entries | .["x"].sy`: "= sync synced()",
		`.proxies[] | desired.clusters[].lb`:                              "= lbPolicy lbSubsetConfig",
		`.proxies[] | diff | .re`:                                         "= refused resource resourceKind",
		`.proxies[] | (.clusters[], .listeners[]) | .po`:                  "= port",
		`.proxies[] // .pilots[] | .rem`:                                  "= remoteClusters",
		`.proxies[] | .name as $n | select($n == "x") | .sy`:              "= sync synced()",
		`label $f | .proxies[] | .sy`:                                     "= sync synced()",
		`.proxies[] | .clusters |= map(.fq`:                               "= fqdn",
		`with_entries(select(.`:                                           "= key value",
		`.proxies[] | del(.sy`:                                            "= sync synced()",
		`[.proxies[] | .labels] | add | .`:                                "=",
		`.proxies[] | recurse | .`:                                        "clusters",
		`.proxies.cluster("x").fq`:                                        "= fqdn",
		`.proxy("a") | [.cluster("b").subset] | {x: .}  | .x[0] | .`:      `= age() cidr( match(" semver( within("`,
		".pilots[]\n# a comment .\n| .rem":                                "= remoteClusters",
		"# .pil":                                                          "=",

		// These sources end at the beginning of a term.
		"":                         "select( .proxies .pilots proxy(\" $ns !route",
		"sor":                      "= sort sort_by(",
		".proxies[] | sy":          "= synced",
		".proxies[] | ":            ".clusters .name trace(\" select( !.virtualServices",
		"map(":                     "select( !.[]",
		".proxies | map(":          ".clusters select(",
		"ma":                       "map( map_values( max max_by( match( !match(\"",
		`.proxies[].routes[] | ma`: `match(" map(`,
		"sel":                      "= select(",
		"re":                       "recurse reduce reverse repeat(",
		"def stal: 1; stal":        "stal !stale",
		".proxies[] | stal":        "= stale",
		"def f(x): x; f":           "f( first floor flatten",
		"def f(abc): ab":           "abc abs",
		"def f":                    "=",
		"def f(x":                  "=",
		".proxies[] as $n":         "=",
		"reduce .proxies[] as $n":  "=",
		". as [$a, $n":             "=",
		"import":                   "= import",
		".proxies[] | {":           "name clusters $ns !select(",
		".proxies[] | {na":         "= name namespace",
		".proxies[] | {name, cl":   "= clusterID clusters",
		".proxies[] | {$n":         "= $ns",
		".proxies[] | {name: na":   "= nan",
		"lim":                      "= limit(",

		// These sources end with a variable, a format or an operator.
		"$":                              "= $ARGS $ENV $ns",
		". as $m | .proxies[] as $p | $": "= $ARGS $ENV $m $ns $p",
		"(. as $m | 1) | $":              "= $ARGS $ENV $ns",
		"def f($a; b): $":                "= $ARGS $ENV $a $ns",
		"label $":                        "=",
		". as {a: $b} | {c: $":           "= $ARGS $ENV $b $ns",
		"@":                              "@json @csv @tsv @base64d",
		"@js":                            "= @json",
		"if .a ":                         "=",
		"if .a th":                       "= then",
		"if .a then .b e":                "= elif else end",
		".a an":                          "= and",
		".a":                             "authorizationPolicies",
		".proxies[0] ":                   "=",

		// These sources end with a string.
		`.proxies[] | select(.rds == "`:                             `= ERROR" IGNORED" NOT␣SENT" STALE" SYNCED" UNKNOWN"`,
		`.proxies[] | select(.rds=="S`:                              `= STALE" SYNCED"`,
		`.proxies[] | select(.rds != "S`:                            `= STALE" SYNCED"`,
		`.proxies[] | select(.sync.rds.status == "S`:                `= STALE" SYNCED"`,
		`.proxies[] | select(.connected and .type == "`:             `= agentgateway" router" sidecar" waypoint" ztunnel"`,
		`.proxies[] | .rds == ("STALE", "SY`:                        `= SYNCED"`,
		`.proxies[] | select(.rds | IN("STALE", "SY`:                `= SYNCED"`,
		`.proxies[].clusters[] | select(.lbPolicy == "R`:            `= RANDOM" RING_HASH" ROUND_ROBIN"`,
		`.proxies[].clusters[] | select(.state | test("AC`:          `= ACTIVE")`,
		`.proxies[] | .clusters[] as $c | select($c.direction == "`: `= inbound" inbound-vip" outbound"`,
		`.proxies[].endpoints[] | select(.health != "H`:             `= HEALTHY"`,
		`.proxies[] | has("clu`:                                     `= clusterID") clusters")`,
		`.proxies[].connectedAt | within("7`:                        `= 72h") 7d")`,
		`.proxies[] | to_entries[] | select(.key == "clu`:           `= clusterID" clusters"`,
		`.proxies[] | .kind == "`:                                   `= Proxy"`,
		`.proxy("`:                                                  "=", // names can be found only by reading values
		`.proxies[] | select("STALE" == "`:                          `= STALE"`,
		`"`:                                                         "=",
		`.proxies[] | test("a") | "`:                                "=",
		`{"na`:                                                      `= namespaces"`,
		`.proxies[] | {"na`:                                         `= name" namespace"`,
	} {
		got := offered(src, o)
		words := strings.Fields(want)
		if len(words) > 0 && words[0] == "=" {
			words = words[1:]
			for i := range words {
				words[i] = strings.ReplaceAll(words[i], "␣", " ")
			}
			slices.Sort(words)
			slices.Sort(got)
			if !slices.Equal(got, words) {
				t.Errorf("%s: %q, want %q", src, got, words)
			}
			continue
		}
		for _, w := range words {
			not, is := strings.CutPrefix(w, "!")
			if slices.Contains(got, not) == is {
				t.Errorf("%s: %q: %s", src, got, w)
			}
		}
	}
}

// TestQueryOverUnknownJSON checks queries whose input is JSON of an unknown form.
func TestQueryOverUnknownJSON(t *testing.T) {
	o := options()
	o.Root, o.Functions = "", nil
	for src, want := range map[string]string{".": "", ".a.": "", "{a: 1} | .": "a", `. as $x | $x`: "$x", `sort_b`: "sort_by("} {
		if got := strings.Join(offered(src, o), " "); got != want {
			t.Errorf("%s: %s, want %s", src, got, want)
		}
	}
}

// TestFunctionsAreDescribed checks that every function that a query can call has a
// description, and a definition in shapes.jq.
func TestFunctionsAreDescribed(t *testing.T) {
	o := options()
	var called []string
	for _, key := range eval.Builtins() {
		name, arity, _ := strings.Cut(key, "/")
		called = append(called, name)
		want := name
		if arity != "0" {
			want += "("
		}
		r := complete.Query(name, o)
		if !slices.ContainsFunc(r.Candidates, func(c complete.Candidate) bool {
			if n := strings.Count(c.Doc, ";"); arity == "0" {
				return c.Text == name && strings.HasPrefix(c.Doc, name+": ")
			} else if !strings.HasPrefix(c.Text, want) || !strings.HasPrefix(c.Doc, want) {
				return false
			} else {
				return n >= 0
			}
		}) {
			t.Errorf("%s is not offered: %v", key, r.Candidates)
		}
	}
	if unknown := complete.Undefined(eval.Builtins()); len(unknown) > 0 {
		t.Errorf("of %q nothing is known", unknown)
	}
	var keys []string
	for _, f := range o.Functions {
		keys = append(keys, f.Name+"/"+string(rune('0'+len(f.Params))))
	}
	if unknown := complete.Undefined(keys); len(unknown) > 0 {
		t.Errorf("of %q nothing is known", unknown)
	}
	if len(called) < 150 {
		t.Errorf("%d functions", len(called))
	}
}

// TestLookQueriesRun checks that the queries that complete.Query passes to Options.Look
// are valid.
func TestLookQueriesRun(t *testing.T) {
	for src, want := range map[string]string{
		`.proxies[0].labels.a`:              `.proxies[0].labels.debug(["__here", (objects | keys)]).empty()`,
		`.a[] | select(.b == "`:             `.a[] | select((.b).debug(["__here", (. | strings)]).empty())`,
		`[.proxies[] | select(.name=="r`:    `[.proxies[] | select((.name).debug(["__here", (. | strings)]).empty())]`,
		`.labels["`:                         `.labels.debug(["__here", (objects | keys[] | strings)]).empty()`,
		`{a: .labels | {`:                   `{a: .labels | {_: (debug(["__here", (objects | keys)]) | empty)}}`,
		`.proxies[] | .name | startswith("`: `.proxies[] | .name | startswith((debug(["__here", (. | strings)]) | empty))`,
	} {
		o, got := options(), ""
		o.Root = ""
		o.Look = func(query string, each func(any) bool) {
			got = query
			if !each([]any{"__here", []any{"x.y", "ok"}}) || !each("something else") || !each([]any{"__here", "text"}) {
				t.Errorf("%s: enough is seen", src)
			}
		}
		complete.Query(src, o)
		if got != want {
			t.Errorf("%s: %s, want %s", src, got, want)
		}
	}
}

// FuzzQuery checks that complete.Query returns without a panic for any source.
func FuzzQuery(f *testing.F) {
	o := options()
	for _, src := range []string{`.proxies[] | select(.rds=="STALE") | .clus`, `reduce .[] as $x ("\(.a`, `{a:{"b`, `def f(g): f(g|g), f(f(.)); f(.`, `. as [$a, {b: $c}] ?// $a | .`} {
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src string) {
		r := complete.Query(src, o)
		if r.From < 0 || r.From > len(src) {
			t.Fatalf("%q: from %d", src, r.From)
		}
	})
}
