package plugin

import (
	"bytes"
	"flag"
	"strings"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/query/shipped"
)

// mixedMesh is a mesh of a waypoint, a ztunnel, and the dump of an Envoy that is
// not part of Istio. Each of the three has different sections.
var mixedMesh = []string{"--snapshot", "../testdata/ambient", "--snapshot", "../testdata/bare-envoy.json"}

const (
	aWaypoint  = "waypoint-7c9f5d6b8-k2wzj.shop"
	aZtunnel   = "ztunnel-4vx8q.istio-system"
	aBareEnvoy = "gw"
)

// overMixed runs a command line over the mixed mesh.
func overMixed(args ...string) (code int, out, errs string) {
	var o, e bytes.Buffer
	w := &process.World{Args: append(append([]string{"kubectl-meshq"}, args...), mixedMesh...), In: strings.NewReader(""), Out: &o, Err: &e, Now: time.Now}
	code = Main(w)
	return code, o.String(), e.String()
}

// TestAbsentSectionYieldsNothing checks queries for a section over several proxies,
// one of which has a type without that section. That proxy yields no results, and
// the exit code is 0.
func TestAbsentSectionYieldsNothing(t *testing.T) {
	for query, want := range map[string]string{
		`([.proxies[].clusters[]] | length) == ([.proxies[] | .clusters | length] | add)`: "true",
		`[.proxies[] | .workloads | length > 0]`:                                          "[false,false,true]",
		`[.proxies[].workloads[].kind] | unique`:                                          `["Workload"]`,
		`[.proxies[] | select(.type == "ztunnel") | .clusters]`:                           "[null]",
		`[.proxies[] | select(.type == "ztunnel") | has("clusters", "workloads")]`:        "[false,true]",
		`[.proxies[] | select(.type == "ztunnel") | (.clusters, .listeners, .routes, .endpoints, .extensions, .bootstrap, .server, .stats, .loggers)[]]`: "[]",
		`[.proxies[] | select(.type != "ztunnel") | (.workloads, .services, .policies, .connections)[]]`:                                                 "[]",
		`[.proxies[] | .clusters | map(.name) | length > 0]`:                                                                                             "[true,true,false]",
		`[.proxies[] | .clusters | sort_by(.name) | .[0:1][] | .kind]`:                                                                                   `["Cluster","Cluster"]`,
		`[.proxies[] | .clusters | group_by(.fqdn) | length > 0]`:                                                                                        "[true,true,false]",
		`[.proxies[] | .clusters | first | .name | type]`:                                                                                                `["string","string","null"]`,
		`[.proxies[] | .clusters[:1][]] | length`:                                                                                                        "2",
		`[.proxies[] | (.clusters + .listeners)[].kind] | unique`:                                                                                        `["Cluster","Listener"]`,
		`[.proxies[] | .clusters - [] | length > 0]`:                                                                                                     "[true,true,false]",
		`[.proxies[] | [] - .clusters | length]`:                                                                                                         "[0,0,0]",
		`[.proxies[] | .clusters | contains([])]`:                                                                                                        "[true,true,true]",
		`[.proxies[] | {c: .clusters} | .c[].kind] | unique`:                                                                                             `["Cluster"]`,
		`[.proxies[] | getpath(["clusters"])[].kind] | unique`:                                                                                           `["Cluster"]`,
		`[.proxies[1,2] | getpath(["bootstrap", "staticResources", "clusters"])[] | has("name")] | unique`:                                               "[true]",
		`[.proxies[] | . as {$clusters} | $clusters[].kind] | unique`:                                                                                    `["Cluster"]`,
		`.proxies[].clusters[].name |= ascii_upcase | [.proxies[].clusters[].name] | all(ascii_upcase == .)`:                                             "true",
		`[path(.proxies[].workloads[])[1]] | unique`:                                                                                                     "[2]",
		`[.proxies[] | del(.labels) | .clusters[].kind] | unique`:                                                                                        `["Cluster"]`,
		`[.proxies[] | .clusters | any(.name == "xds-grpc")]`:                                                                                            "[false,true,false]",
		`[.proxies[] | cluster("xds-grpc").name]`:                                                                                                        `["xds-grpc"]`,
		`[.proxies[] | INDEX(.clusters[]; .name) | length > 0]`:                                                                                          "[true,true,false]",
		`[limit(1; .proxies[2].clusters[], "x")]`:                                                                                                        `["x"]`,
		`[.proxies[2] | .clusters // "none"]`:                                                                                                            `["none"]`,
		`[.proxies[2] | .clusters == null, (.clusters | type)]`:                                                                                          `[true,"null"]`,
	} {
		code, out, errs := overMixed("-c", query)
		if code != process.ExitOK || strings.TrimSpace(out) != want {
			t.Errorf("%s\n gives %s, exit code %d %s\n want  %s", query, strings.TrimSpace(out), code, errs, want)
		}
	}
}

// TestAbsentSectionIsNoOtherNull checks that iterating over null is still an error,
// as in jq, if the null doesn't come from an absent section.
func TestAbsentSectionIsNoOtherNull(t *testing.T) {
	for _, query := range []string{`.proxies[2].nosuch[]`, `.proxies[2].node.x[]`, `.proxies[0] | del(.clusters) | .clusters[]`, `{kind: "Proxy"} | .clusters[]`, `null[]`} {
		if code, _, errs := overMixed(query); code != process.ExitRun {
			t.Errorf("%s: exit code %d %s", query, code, errs)
		}
	}
}

var allFormats = flag.Bool("full", false, "run each shipped query in every output format; otherwise in one of them")

// TestShippedQueriesOverMixedMesh runs every shipped query over proxies of all
// types. No query fails, and the results over all proxies contain the results
// over each proxy.
func TestShippedQueriesOverMixedMesh(t *testing.T) {
	for i, q := range shipped.All() {
		if q.Words != "" {
			continue // the query requires a name, such as that of a service
		}
		t.Run(q.Name, func(t *testing.T) {
			t.Parallel()
			results := func(args ...string) map[string]bool {
				t.Helper()
				code, out, errs := overMixed(append(args, "-c")...)
				if code != process.ExitOK && code != process.ExitPartial && code != process.ExitFound {
					t.Errorf("%q: exit code %d: %s", args, code, errs)
				}
				all := map[string]bool{}
				for line := range strings.Lines(out) {
					all[line] = true
				}
				return all
			}
			formats := []string{"table", "wide", "yaml", "custom-columns=N:.name,C:.clusters[*].name,W:.workloads[*].name", "jsonpath={.items[*].name}"}
			if !*allFormats {
				formats = formats[i%len(formats):][:1]
			}
			for _, format := range formats {
				if q.Name == "sizes" && strings.HasPrefix(format, "custom-columns") {
					continue // its clusters are a number, of which kubectl has no elements either
				}
				if code, _, errs := overMixed(q.Name, "-o", format); code == process.ExitRun || code == process.ExitUsage {
					t.Errorf("-o %s: exit code %d: %s", format, code, errs)
				}
			}
			mixed := results(q.Name)
			if q.Name == "rootca" {
				return // each result of rootca compares several proxies
			}
			for _, proxy := range []string{aWaypoint, aBareEnvoy, aZtunnel} {
				for result := range results(q.Name, proxy) {
					if !mixed[result] {
						t.Errorf("a result of %s is missing over the mixed mesh: %s", proxy, result)
					}
				}
			}
		})
	}
}
