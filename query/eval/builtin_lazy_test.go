package eval

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestBuiltinsLoadNoMore checks which sections each builtin loads. The result must be the
// same as gojq's for the completely loaded document, and only the listed sections may be
// loaded.
func TestBuiltinsLoadNoMore(t *testing.T) {
	const n = 8
	for _, tc := range []struct {
		query string
		loads []string
	}{
		{`.proxies | reverse | .[0].name`, nil},
		{`[.proxies, .proxies] | flatten(1) | length`, nil},
		{`[.proxies] | transpose | length`, nil},
		{`.proxies | map({key: .name, value: .clusters}) | from_entries | keys`, nil},
		{`.proxies | map({key: .name, value: .clusters}) | from_entries | .["pod-002"] | length`, sections("clusters", 2)},
		{`.proxies | map(with_entries(select(.key == "id" or .key == "clusters"))) | map(has("clusters")) | all`, nil},
		{`[skip(2; .proxies[]) | .name]`, nil},
		{`nth(3; .proxies[]).clusters | length`, sections("clusters", 3)},
		{`.proxies | nth(3).routes | length`, sections("routes", 3)},
		{`.proxies | last.routes | length`, sections("routes", 7)},
		{`last(.proxies[]).routes | length`, sections("routes", 7)},
		{`[.proxies[] | select(.name | test("00[23]")) | .clusters | length]`, sections("clusters", 2, 3)},
		{`[.proxies[] | select(.name | IN("pod-001", "pod-005")) | .routes | length]`, sections("routes", 1, 5)},
		{`.proxies | map(select(.i > 5)) | map(.clusters | length) | add`, sections("clusters", 6, 7)},
		{`.proxies | max_by(.i).clusters | length`, sections("clusters", 7)},
		{`[.proxies | group_by(.i % 2)[][0].clusters | length]`, sections("clusters", 0, 1)},
		{`[.proxies[0:2][].clusters] | sort | length`, sections("clusters", 0, 1)},
		{`[.proxies[0].clusters] | sort | length`, nil},
		{`.proxies | add | .name`, nil},
		{`add(.proxies[] | {(.name): .routes}) | keys | length`, nil},
		{`[.proxies[0:2][] | .clusters] | add | length`, sections("clusters", 0, 1)},
		{`.proxies[0] * {a: 1} | .a`, nil},
		{`(.proxies[0] + {a: 1}) | keys | length`, nil},
		// the comparison reads the keys and then only the first member
		{`.proxies[0] == .proxies[1]`, sections("clusters", 0, 1)},
		{`.proxies[0] | [.name, .i] | @csv`, nil},
		{`.proxies | map(.name) | join(",")`, nil},
		{`"\(.proxies[2].clusters | length)"`, sections("clusters", 2)},
		{`.proxies[2].clusters | tojson | length`, sections("clusters", 2)},
		{`[.proxies[] | scalars]`, nil},
		{`[.proxies[] | objects] | length`, nil},
		{`[.proxies[].clusters | values] | length`, sections("clusters", 0, 1, 2, 3, 4, 5, 6, 7)},
		{`.proxies | bsearch({}) | type`, nil},
		{`first(..) | type`, nil},
		{`[limit(3; ..) | type]`, nil},
		{`[paths] | length`, append(sections("clusters", 0, 1, 2, 3, 4, 5, 6, 7), sections("routes", 0, 1, 2, 3, 4, 5, 6, 7)...)},
		{`.proxies[1] | pick(.name)`, nil},
		{`.proxies[1] | pick(.clusters[0].name)`, sections("clusters", 1)},
		{`.proxies[1] | setpath(["clusters"]; 1) | .clusters`, nil},
		{`.proxies[1] | delpaths([["clusters"], ["routes"]]) | keys | length`, nil},
		{`[.proxies[] | in({})?]`, nil},
		{`.proxies | JOIN({"pod-001": 1}; .name) | map(.[1])`, nil},
		{`.proxies[3] | until(.i == 3; .clusters) | .name`, nil},
		{`[.proxies[0:2] | while(length > 0; .[1:]) | .[0].name]`, nil},
		{`[.proxies[0] | recurse(if .i < 3 then {i: (.i + 1)} else empty end) | .i]`, nil},
		// the function error loads the raised value completely
		{`.proxies[0] | try error catch .name`, append(sections("clusters", 0), sections("routes", 0)...)},
		{`[.proxies[] | .name | ltrimstr("pod-") | tonumber] | add`, nil},
		{`.proxies | any(.rds == "STALE"), all(.clusters)`, sections("clusters", 0, 1, 2, 3, 4, 5, 6, 7)},
		{`[splits("x")?]`, nil},
		{`.proxies | indices([]) | length`, nil},
		{`.proxies[0] | contains({name: "pod"})`, nil},
		{`.proxies[0] | try (. + 1) catch "no"`, nil}, // an error message shows only the loaded parts of a value
		{`.proxies[0] | try (1 - .) catch "no"`, nil},
		{`.proxies[0] | try (. * "x") catch "no"`, nil},
		{`.proxies[0] | try -. catch "no"`, nil},
		{`.proxies[0] | try floor catch "no", try fromdate catch "no", try ltrimstr("x") catch "no", try keys[0] catch "no", isnan`, nil},
		{`.proxies[0] | try erf catch "no", try tonumber catch "no", try ("x" | test({})) catch "no", try has(1) catch "no", try flatten(-1) catch "no"`, nil},
		{`.proxies[0] | [infinite, atan2(1; 2), fma(1; 2; 3)] | length`, nil},
		{`.proxies | walk(if type == "object" and has("rds") then .name else . end) | .[1]`, append(sections("clusters", 0, 1, 2, 3, 4, 5, 6, 7), sections("routes", 0, 1, 2, 3, 4, 5, 6, 7)...)},
	} {
		slices.Sort(tc.loads)
		f := newFake(n, 0)
		got, want := ask(context.Background(), t, tc.query, f.document(), 1), askGojq(t, tc.query, f.plain())
		if got.kinds() != want.kinds() {
			t.Errorf("%s: %s\nwant %s", tc.query, got, want)
		}
		if loads := f.loaded(); !slices.Equal(loads, tc.loads) {
			t.Errorf("%s: loaded %s, want %s", tc.query, strings.Join(loads, " "), strings.Join(tc.loads, " "))
		}
	}
}

// TestBuiltinsGoAhead checks that a builtin that reads many elements loads several of
// them concurrently.
func TestBuiltinsGoAhead(t *testing.T) {
	for _, query := range []string{
		`[..] | length`, `[paths] | length`, `[.proxies | paths(type == "string")] | length`, `.proxies | walk(.) | length`, `.proxies | map(.clusters | length) | add`,
		`.proxies | sort_by(.clusters | length) | map(.i)`, `.proxies | group_by(.routes | length) | length`, `.proxies | min_by(.clusters[0].w).name`,
		`INDEX(.proxies[]; .clusters[0].name) | keys`, `add(.proxies[] | .clusters | length)`, `.proxies | any(.clusters == 1), all(.clusters)`,
		`[.proxies[] | select(.clusters | any(.w > 100))]`, `last(.proxies[] | .clusters[0].name)`, `[skip(1; .proxies[] | .routes[0].name)]`,
		`.proxies | map(select(.routes | length > 1)) | length`, `[.proxies[] | .clusters[] | .name | test("1$")] | length`, `.proxies | map(.clusters | tojson) | length`,
	} {
		f := newFake(24, 2*time.Millisecond)
		got, want := ask(context.Background(), t, query, f.document(), 16), askGojq(t, query, f.plain())
		if got.kinds() != want.kinds() {
			t.Errorf("%s: %s\nwant %s", query, got, want)
		}
		if most := f.most.Load(); most < 3 {
			t.Errorf("%s: %d at once", query, most)
		}
	}
}
