package envoy

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// lists describes the lists of a dump that contain the resources of one section. Each
// entry has the name of the list, the state of its resources, and the path from an
// element of the list to the resource.
type lists [][3]string

// expected returns the rows that a section must have, computed from a dump that
// encoding/json has parsed. A row has the name, state, version and time of a resource,
// followed by the result of more.
func expected(dump any, lists lists, more func(resource any) string) []string {
	type row struct{ name, state, line string }
	var rows []row
	for _, l := range lists {
		part := "-"
		for _, p := range dig(dump, "configs.*") {
			if len(dig(p, l[0])) > 0 {
				part = one(p, "version_info")
			}
		}
		for _, e := range dig(dump, "configs.*."+l[0]+".*") {
			for _, held := range dig(e, l[2]) {
				around := e
				if at := strings.LastIndexByte(l[2], '.'); at > 0 {
					around = dig(e, l[2][:at])[0]
				}
				time := one(around, "last_updated")
				if l[1] == "REJECTED" {
					time = one(around, "last_update_attempt")
				}
				name := one(held, "name")
				if name == "-" {
					name = ""
				}
				version := one(around, "version_info")
				if version == "-" && l[1] != "STATIC" && l[1] != "REJECTED" { // with delta xDS, the dump has one version for all resources of a type
					version = part
				}
				rows = append(rows, row{name, l[1], strings.Join([]string{one(held, "name"), l[1], version, upToSeconds(time), more(held)}, " ")})
			}
		}
	}
	slices.SortStableFunc(rows, func(a, b row) int { return strings.Compare(a.name+"\x00"+a.state, b.name+"\x00"+b.state) })
	var out []string
	for _, r := range rows {
		out = append(out, strings.TrimSpace(r.line))
	}
	return out
}

var clusterLists = lists{{"static_clusters", "STATIC", "cluster"}, {"dynamic_active_clusters", "ACTIVE", "cluster"}, {"dynamic_warming_clusters", "WARMING", "cluster"}}

var serviceName = regexp.MustCompile(`^([a-z-]+)\|([0-9]+)\|([^|]*)\|(.*)$`)

var configOf = regexp.MustCompile(`^/apis/networking\.istio\.io/v[0-9a-z]+/namespaces/([^/]+)/[a-z-]+/([^/]+)$`)

// ofHTTPRoute matches the names of the routes of the only HTTPRoute in the captures.
var ofHTTPRoute = regexp.MustCompile(`^shop\.(cart)\.[0-9]$`)

func made(resource any) string {
	if m := configOf.FindStringSubmatch(one(resource, "metadata.filter_metadata.istio.config")); m != nil {
		if route := ofHTTPRoute.FindStringSubmatch(one(resource, "name")); route != nil {
			return "httproute/" + route[1] + "." + m[1]
		}
		return m[2] + "." + m[1]
	}
	return "-"
}

func TestClusters(t *testing.T) {
	for _, dir := range captured(t) {
		t.Run(dir, func(t *testing.T) {
			want := expected(raw(t, dir+"/config_dump.json"), clusterLists, func(c any) string {
				words := []string{"-", "-", "-", "-", "-"}
				if m := serviceName.FindStringSubmatch(one(c, "name")); m != nil {
					for i, w := range m[1:] {
						if w != "" {
							words[i] = w
						}
					}
					words[4] = made(c)
				}
				return strings.Join(words, " ")
			})
			got := table(section(t, open(t, dir), mesh.Clusters),
				"name", "state", "versionInfo", "lastUpdated", "direction", "port", "subset", "fqdn", "destinationRule")
			equal(t, got, want)
		})
	}
}

func TestClusterNames(t *testing.T) {
	for name, want := range map[string]string{
		"outbound|9080|v1|reviews.default.svc.cluster.local":          "{outbound 9080 v1 reviews.default.svc.cluster.local} true",
		"outbound|80||*.wild.external.io":                             "{outbound 80  *.wild.external.io} true",
		"inbound|9080||":                                              "{inbound 9080  } true",
		"inbound|15020|mgmt-15020|mgmtCluster":                        "{inbound 15020 mgmt-15020 mgmtCluster} true",
		"inbound-vip|8000|http|httpbin.default.svc.cluster.local":     "{inbound-vip 8000 http httpbin.default.svc.cluster.local} true",
		"outbound_.9080_.v1_.reviews.default.svc.cluster.local":       "{outbound 9080 v1 reviews.default.svc.cluster.local} true",
		"outbound_.15004_._.istio-policy.istio-system.svc.cluster.lo": "{outbound 15004  istio-policy.istio-system.svc.cluster.lo} true",
		"outbound|x||a.b":                                             "{ 0  } false",
		"mesh|80|v1|http":                                             "{ 0  } false",
		"Outbound|80||a.b":                                            "{ 0  } false",
		"outbound|-1||a.b":                                            "{ 0  } false",
		"outbound|65536||a.b":                                         "{ 0  } false",
		"|80||a.b":                                                    "{ 0  } false",
		"outbound|80||a|b":                                            "{outbound 80  a|b} true",
		"BlackHoleCluster":                                            "{ 0  } false",
		"a|b|c":                                                       "{ 0  } false",
		"outbound_.80_.a.b":                                           "{ 0  } false",
		"":                                                            "{ 0  } false",
	} {
		n, ok := parseClusterName(name)
		if got := fmt.Sprint(n, ok); got != want {
			t.Errorf("%s: %s, not %s", name, got, want)
		}
	}
}

var listenerLists = lists{
	{"static_listeners", "STATIC", "listener"},
	{"dynamic_listeners", "ACTIVE", "active_state.listener"}, {"dynamic_listeners", "WARMING", "warming_state.listener"},
	{"dynamic_listeners", "DRAINING", "draining_state.listener"}, {"dynamic_listeners", "REJECTED", "error_state.failed_configuration"},
}

func TestListeners(t *testing.T) {
	rejected := 0
	for _, dir := range captured(t) {
		t.Run(dir, func(t *testing.T) {
			want := expected(raw(t, dir+"/config_dump.json"), listenerLists, func(l any) string {
				return strings.Join([]string{
					one(l, "address.socket_address.address"), one(l, "address.socket_address.port_value"), speaks(l),
				}, " ")
			})
			all := slices.Clone(want)
			// a dump contains a rejected listener twice, once without the time
			// of its last update
			want = slices.DeleteFunc(want, func(row string) bool {
				name, rest, _ := strings.Cut(row, " REJECTED - - ")
				return rest != "" && slices.ContainsFunc(all, func(other string) bool { return strings.HasPrefix(other, name+" REJECTED - 2") })
			})
			p := open(t, dir)
			rows := section(t, p, mesh.Listeners)
			equal(t, table(rows, "name", "state", "versionInfo", "lastUpdated", "host", "port", "protocols"), want)

			errors := map[string]string{}
			for _, l := range dig(raw(t, dir+"/config_dump.json"), "configs.*.dynamic_listeners.*") {
				if e := one(l, "error_state.details"); e != "-" {
					errors[one(l, "name")] = e
				}
			}
			for _, r := range rows {
				if e := one(r, "error"); (one(r, "state") == "REJECTED") != (e != "-") || e != "-" && e != errors[one(r, "name")] {
					t.Errorf("%s %s: %s", one(r, "name"), one(r, "state"), e)
				} else if e != "-" {
					rejected++
				}
			}
		})
	}
	if rejected == 0 {
		t.Error("no rejected listener in the captures")
	}
}

// speaks returns the protocols of a listener, which istioctl prints in the column TYPE.
// It derives them from the names of the network filters.
func speaks(listener any) string {
	words := []string{}
	chains := append(dig(listener, "filter_chains.*"), dig(listener, "default_filter_chain")...)
	for _, kind := range [][2]string{{"HTTP", "envoy.filters.network.http_connection_manager"}, {"TCP", "envoy.filters.network.tcp_proxy"}} {
		if slices.ContainsFunc(chains, func(c any) bool {
			return slices.ContainsFunc(dig(c, "filters.*"), func(f any) bool {
				return one(f, "name") == kind[1] && (kind[0] == "HTTP" || !strings.Contains(fmt.Sprint(f), "BlackHoleCluster"))
			})
		}) {
			words = append(words, kind[0])
		}
	}
	return fmt.Sprint(words)
}

func TestRoutes(t *testing.T) {
	for _, dir := range captured(t) {
		t.Run(dir, func(t *testing.T) {
			dump := raw(t, dir+"/config_dump.json")
			rows := section(t, open(t, dir), mesh.Routes)
			want := expected(dump, lists{{"static_route_configs", "STATIC", "route_config"}, {"dynamic_route_configs", "ACTIVE", "route_config"}}, func(c any) string {
				return fmt.Sprint(routesOf(c, func(h, r any) string { return made(r) + fmt.Sprint(goesTo(r)) }))
			})
			want = slices.Compact(withoutStaticTimes(want))
			got := withoutStaticTimes(tableOf(rows, func(c any) string {
				return strings.Join(append(table([]any{c}, "name", "state", "versionInfo", "lastUpdated"), fmt.Sprint(routesOf(c, func(h, r any) string {
					if one(h, "kind") != "VirtualHost" || one(r, "kind") != "Route" || one(h, "routeConfiguration") != one(c, "name") ||
						one(r, "routeConfiguration") != one(c, "name") || one(r, "virtualHost") != one(h, "name") {
						t.Errorf("%s: parents of %s", one(c, "name"), one(r, "name"))
					}
					var all []string
					for _, d := range dig(r, "destinations.*") {
						all = append(all, one(d, "cluster")+":"+one(d, "weight"))
					}
					return one(r, "virtualService") + fmt.Sprint(all)
				}))), " ")
			}))
			equal(t, got, want)
		})
	}
}

func tableOf(rows []any, line func(any) string) (out []string) {
	for _, r := range rows {
		out = append(out, line(r))
	}
	return out
}

// withoutStaticTimes removes the times of static route configurations. A dump may
// contain the same one twice, with times that differ by some milliseconds, and the
// section may keep either of them.
func withoutStaticTimes(rows []string) []string {
	return tableOf(anys(rows), func(v any) string {
		return regexp.MustCompile(`( STATIC - )\S+`).ReplaceAllString(v.(string), "$1")
	})
}

func anys(in []string) (out []any) {
	for _, s := range in {
		out = append(out, s)
	}
	return out
}

func routesOf(config any, line func(host, route any) string) (out []string) {
	for _, h := range dig(config, "virtual_hosts.*") {
		out = append(out, one(h, "name"))
		for _, r := range dig(h, "routes.*") {
			out = append(out, line(h, r))
		}
	}
	return out
}

func goesTo(route any) (all []string) {
	for _, w := range dig(route, "route.weighted_clusters.clusters.*") {
		all = append(all, one(w, "name")+":"+strings.Replace(one(w, "weight"), "-", "0", 1))
	}
	for _, c := range dig(route, "route.cluster") {
		all = append(all, c.(string)+":100")
	}
	return all
}

// TestNothingIsLost checks that each element of a section has all fields of Envoy's
// resource, besides the derived fields.
func TestNothingIsLost(t *testing.T) {
	dump := raw(t, "testdata/reviews-v2/config_dump.json")
	own := map[mesh.Section]lists{mesh.Clusters: clusterLists, mesh.Listeners: listenerLists}
	for s, lists := range own {
		p := open(t, "testdata/reviews-v2")
		byName := map[string]*object.Object{}
		for _, r := range section(t, p, s) {
			byName[one(r, "name")+one(r, "state")] = r.(*object.Object)
		}
		for _, l := range lists {
			for _, held := range dig(dump, "configs.*."+l[0]+".*."+l[2]) {
				want := converted(t, held)
				got := byName[one(held, "name")+l[1]].Clone()
				kind, _ := mesh.KindOf(fmt.Sprint(got.Get("kind")))
				for _, f := range kind.Fields {
					got.Delete(f.Name)
				}
				got.Delete("kind")
				if fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("%s %s:\n got %v\nwant %v", l[1], one(held, "name"), got, want)
				}
			}
		}
	}
}

// converted returns a value from a dump in the form that it has in the document.
func converted(t *testing.T, v any) any {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	out, err := body("piece", b).Pass(t.Context(), 0, -1, ShapeOf("google.protobuf.Any"), &decode.Node{All: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
