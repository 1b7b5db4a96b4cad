package eval

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/query/syntax/native"
)

// oneOfAll is the input of the queries below. It has members of all types.
const oneOfAll = `{"name":"reviews-v1","n":3,"f":2.5,"neg":-7,"t":true,"no":false,"nil":null,"s":"a,b, c","u":"h\u00e9\ud83d\ude04","list":[3,1,2,1],"words":["b","a","c","a"],` +
	`"rows":[{"k":"x","v":1,"w":[1,2]},{"k":"y","v":2,"w":[]},{"k":"x","v":3,"w":[3]}],"deep":{"a":{"b":[10,{"c":"d"}]}},"pairs":[["a",1],["b",2]],"at":1425599621}`

// forJq lists queries that have the same results in all versions of jq since 1.6.
var forJq = []string{
	`.name`, `.deep.a.b[1].c`, `.deep["a"]["b"][0]`, `.list[1:3]`, `.list[-2:]`, `.list[:1]`, `.s[2:5]`, `.rows[].k`, `[.rows[] | .v * 2]`, `.missing?`, `.name.x?`, `[.[]?] | length`,
	`keys`, `.rows | length`, `.u | length`, `.u | utf8bytelength`, `has("name"), has("zzz")`, `.list | has(0), has(9)`, `.deep | to_entries`, `.deep | with_entries(.key |= "z" + .)`,
	`.pairs | map({key: .[0], value: .[1]}) | from_entries`, `.list | sort`, `.list | unique`, `.words | group_by(.)`, `.rows | sort_by(.k, -.v)`, `.rows | group_by(.k) | map(length)`,
	`.rows | unique_by(.k) | map(.v)`, `.rows | min_by(.v), max_by(.v)`, `.list | min, max, add`, `.words | add`, `[.rows[].w] | add`, `[.rows[].w] | flatten`, `.pairs | flatten(1)`,
	`.list | reverse`, `.list | index(1), rindex(1), indices(1)`, `.s | index(","), indices(",")`, `.list | contains([3])`, `.deep | contains({a: {}})`, `"rev" as $x | .name | startswith($x), endswith("v1")`,
	`.name | ltrimstr("reviews-"), rtrimstr("-v1")`, `.s | split(",")`, `.s | split(", *"; null)`, `.words | join("-")`, `.s | ascii_upcase, ascii_downcase`, `.u | explode | implode`,
	`.name | test("V1"; "i"), test("^v")`, `.name | match("(?<n>[a-z]+)-v(?<v>[0-9])") | .captures | map(.name)`, `.name | capture("(?<n>[a-z]+)-v(?<v>[0-9])")`, `[.s | scan("[a-z]")]`,
	`.s | sub("b"; "X"), gsub("[abc]"; "<\(.)>")`, `.name | gsub("(?<c>[aeiou])"; "(\(.c))")`, `[.s | splits(", *")]`, `.n + .f, .n - .f, .n * .f, .n / .f, .n % 2`, `.neg % 3, (.neg | fabs)`,
	`.list - [1]`, `.deep * {a: {x: 1}}`, `.s / ","`, `.n == 3, .n != 3, .n < .f, .list > .words`, `.t and .no, .t or .no, (.t | not)`, `.nil // "default", .no // 1`, `[.rows[].zzz // "none"]`,
	`if .t then "yes" else "no" end`, `if .no then 1 elif .n == 3 then 2 else 3 end`, `try error("x") catch .`, `try (.name | keys) catch "bad"`, `[.[] | numbers]`, `[.[] | strings] | length`,
	`[.[] | select(type == "array") | length]`, `map_values(type)`, `[paths] | length`, `[paths(type == "number")] | .[0:3]`, `path(.deep.a.b[1])`, `getpath(["deep", "a", "b", 0])`,
	`setpath(["deep", "z"]; 1) | .deep | keys`, `delpaths([["rows"], ["list", 0]]) | .list`, `del(.rows[0], .list) | keys | length`, `to_entries | map(.key) | first`, `.rows[0].v |= . + 10 | .rows[0]`,
	`.rows[].v += 1 | [.rows[].v]`, `.list[1:3] = ["x"] | .list`, `.deep.a.b[1].c = "new" | .deep`, `reduce .list[] as $x (0; . + $x)`, `[foreach .list[] as $x (0; . + $x; [$x, .])]`, `[limit(2; .list[])]`,
	`first(.list[]), [.list | first, last, nth(2)]`, `[range(5)], [range(1; 10; 3)], [range(5; 0; -2)]`, `[.n | while(. < 50; . * 2)]`, `.n | until(. > 50; . * 2)`, `[recurse | numbers] | length`,
	`[.deep | .. | strings]`, `any(.list[]; . > 2), all(.list[]; . > 2)`, `.rows as [$a, {v: $b}] | [$a.k, $b]`, `. as {n: $x, deep: {a: $y}} | [$x, ($y | keys)]`, `def f(x): x * 2; [.list[] | f(.)]`,
	`def fac: if . <= 1 then 1 else . * (. - 1 | fac) end; .n | fac`, `"\(.name) has \(.n)"`, `@csv "\(.list)", @tsv "\(.words)"`, `.words | @sh, @json`, `.s | @uri, @html, @base64, (@base64 | @base64d)`,
	`.rows | tojson | fromjson == $__loc__.file? // true`, `.n | tostring, (tostring | tonumber)`, `.f | floor, sqrt, ceil`, `pow(2; 10), (8 | log2)`, `.at | todate, (gmtime | mktime)`, `.at | strftime("%Y-%m-%d %H:%M")`,
	`"2015-03-05T23:51:47Z" | fromdate, strptime("%Y-%m-%dT%H:%M:%SZ")[0:3]`, `[.rows[] | {k, v}]`, `[.rows[] | {(.k): .v}] | add`, `{a: (1, 2), b: (3, 4)}`, `[.rows[] | .w[]?]`, `label $out | .list[] | if . == 1 then ., break $out else . end`,
	`[.list[] as $x | .words[] as $y | "\($x)\($y)"] | length`, `.rows | INDEX(.k) | map_values(.v)`, `[.words[] | IN("a", "c")]`, `.pairs | transpose`, `[[1, 2], [3, 4]] | [combinations]`, `.list | bsearch(2) | type`,
	`[.deep | tostream] | length`, `fromstream(.deep | tostream)`, `[1 | truncate_stream([[0], 1], [[1, 0], 2], [[1, 0]], [[1]])]`, `input_line_number | type`, `splits("a")? // "none"`, `isempty(.list[]), isempty(empty)`, `env | type`,
	`[.list[] | tostring] | sort | join("")`, `walk(if type == "number" then . + 1 else . end) | .list`, `ascii_downcase? // "no"`, `[.[] | type] | unique`, `.nil | length`, `infinite > 1, (nan < 1)`, `[.list, .words] | map(length) | add`,
}

// TestAgainstJq compares the evaluator with the jq that is installed on this machine.
func TestAgainstJq(t *testing.T) {
	jq, err := exec.LookPath("jq")
	if err != nil {
		t.Skip("no jq here")
	}
	programs := make([]string, len(forJq))
	for i, p := range forJq {
		programs[i] = "(try [" + p + "] catch \"an error\")"
	}
	input := valueOf(oneOfAll).([]any)[0]
	cmd := exec.Command(jq, "-cS", strings.Join(programs, ",\n"))
	cmd.Stdin = strings.NewReader(native.Marshal(input)) // jq keeps the order of the input's keys, but gojq sorts them
	out, err := cmd.Output()
	want := strings.Split(strings.TrimSpace(string(out)), "\n")
	if err != nil || len(want) != len(programs) {
		t.Fatalf("jq: %v, %d results of %d", err, len(want), len(programs))
	}
	for i, p := range programs {
		got := byUs(t.Context(), gojqCase{query: p, inputs: []any{input}}, asItIs)
		if got.String() != want[i] {
			t.Errorf("%s:\n got %s\n jq  %s", forJq[i], got, want[i])
		}
	}
	t.Logf("%d programs", len(programs))
}
