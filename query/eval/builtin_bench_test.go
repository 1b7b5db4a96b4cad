package eval

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// programs are queries like those that users run on a list of clusters.
var programs = []benchmark{
	{"names", `[.[].name] | length`},
	{"equal", `[.[] | select(.type == "EDS" and .port == 8080)] | length`},
	{"test", `[.[] | select(.name | test("reviews.*v2"))] | length`},
	{"contains", `[.[] | select(.name | contains("reviews"))] | length`},
	{"optional", `[.[] | .tls.sni? // empty] | length`},
	{"construct", `[.[] | {name, port, first: .hosts[0].address}] | length`},
	{"group", `group_by(.type) | map({type: .[0].type, n: length})`},
	{"sort", `sort_by(.weight, .name) | .[0].name`},
	{"unique", `[.[].hosts[].address] | unique | length`},
	{"minmax", `[min_by(.weight).name, max_by(.weight).name]`},
	{"index", `INDEX(.name) | length`},
	{"entries", `map(.labels | with_entries(.value |= ascii_upcase)) | length`},
	{"fromentries", `map({key: .name, value: .port}) | from_entries | length`},
	{"modify", `.[].hosts[].weight |= . + 1 | length`},
	{"delete", `del(.[].labels) | length`},
	{"recurse", `[.. | numbers] | add`},
	{"paths", `[paths(type == "number")] | length`},
	{"walk", `walk(if type == "object" then del(.labels) else . end) | length`},
	{"gsub", `map(.name | gsub("[.|]"; "-")) | join(",") | length`},
	{"split", `map(.name | split("|") | .[3]) | unique | length`},
	{"format", `map([.name, .port, .weight] | @csv) | join("\n") | length`},
	{"tojson", `map(tojson | fromjson | .port) | add`},
	{"stream", `[tostream] | length`},
	{"arithmetic", `map(.port * 2 + .weight / 3 - 1) | add | floor`},
	{"interpolate", `map("\(.name):\(.port)") | length`},
	{"reduce", `reduce .[] as $c ({}; .[$c.type] += 1)`},
	{"any", `[any(.[]; .port == 1), all(.[]; .port > 0), (map(.hosts) | flatten | length)]`},
}

// clusters returns n clusters in the form in which the decoder returns them: small
// integers as int, and other numbers as the text that they were written in.
func clusters(n int) any {
	out := make([]any, n)
	for i := range out {
		hosts := []any{}
		for j := range i % 4 {
			hosts = append(hosts, object.Of("address", fmt.Sprintf("10.0.%d.%d", i%200, j), "weight", j, "health", "HEALTHY"))
		}
		out[i] = object.Of(
			"name", fmt.Sprintf("outbound|%d|v%d|%s-%d.default.svc.cluster.local", 8000+i%100, i%3, []string{"reviews", "ratings", "details"}[i%3], i),
			"type", []string{"EDS", "STATIC", "ORIGINAL_DST"}[i%3], "port", 8000+i%100, "weight", json.Number(fmt.Sprintf("%d.5", i%17)),
			"hosts", hosts, "labels", object.Of("app", "reviews", "version", fmt.Sprint("v", i%3)),
		)
	}
	return out
}

func BenchmarkProgramsOurs(b *testing.B) { measureOurs(b, programs, clusters(1000)) }
func BenchmarkProgramsGojq(b *testing.B) { measureGojq(b, programs, clusters(1000)) }

// TestProgramsAgree checks that the evaluator and gojq return the same results for the
// queries whose speed is measured.
func TestProgramsAgree(t *testing.T) {
	in := clusters(60)
	for _, x := range programs {
		tc := gojqCase{query: x.query, inputs: []any{in}}
		if got, want := byUs(t.Context(), tc, asItIs), byGojq(t.Context(), tc); got.String() != want.String() {
			t.Errorf("%s:\n got  %s\n want %s", x.query, brief(got), brief(want))
		}
	}
}
