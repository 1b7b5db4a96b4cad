package eval

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// sections returns the full names, such as pod-000.ns0/clusters, of one section of several
// proxies.
func sections(name string, proxies ...int) []string {
	var out []string
	for _, i := range proxies {
		out = append(out, fmt.Sprintf("pod-%03d.ns%d/%s", i, i%3, name))
	}
	return out
}

func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// TestInvariant2 checks that a query loads only what its result needs, no matter how the
// query is written.
func TestInvariant2(t *testing.T) {
	const n = 21
	stale := []int{3, 10, 17}
	for _, tc := range []struct {
		query string
		loads []string
		early bool // whether the query stops early, so that workers may load more than necessary
	}{
		{`.proxies | length`, nil, false},
		{`.proxies[].name`, nil, false},
		{`.proxies[0] | keys`, nil, false},
		{`[.proxies[] | has("clusters")] | all`, nil, false},
		{`.proxies[0] | length`, nil, false},
		{`.proxies | map(type) | unique`, nil, false},
		{`[.proxies[].clusters] | length`, nil, false},
		{`[.proxies[] | to_entries[] | .key] | unique`, nil, false},
		{`.proxies[0] | to_entries | map(.key) | sort`, nil, false},
		{`.proxies[0] | with_entries(select(.key == "name"))`, nil, false},
		{`[path(.proxies[].clusters)] | length`, nil, false},
		{`[path(.proxies[] | select(.rds == "STALE") | .clusters)] | length`, nil, false},
		{`del(.proxies[].clusters, .proxies[].routes)`, nil, false},
		{`.proxies[1] | del(.clusters, .routes)`, nil, false},
		{`.proxies[1] | .clusters = 1 | del(.routes)`, nil, false},
		{`.proxies | map({name, c: .clusters}) | map(.name)`, nil, false},
		{`[.proxies[] | select(.clusters)] | length`, sections("clusters", upTo(n)...), false},
		{`[.proxies[] | if .rds == "STALE" then .clusters else empty end] | length`, nil, false},
		{`.proxies | INDEX(.name) | has("pod-003")`, nil, false},
		{`.proxies | group_by(.ns) | map(length)`, nil, false},
		{`.proxies as [$a, $b] | $b.name`, nil, false},
		{`.proxies[0] as {name: $n, clusters: $c} | $n`, nil, false},
		{`.proxies[0] | getpath(["clusters"]) | 1`, nil, false},
		{`.proxies[0].clusters | path(.) | length`, nil, false},
		{`[limit(3; .proxies[])] | map(.clusters | length)`, sections("clusters", 0, 1, 2), false},
		{`first(.proxies[]).clusters | length`, sections("clusters", 0), false},
		{`.proxies[5].clusters[0].name`, sections("clusters", 5), false},
		{`[.proxies[0] | path(.clusters | . as $x | $x)]`, nil, false},
		{`.proxies[0] | [path(.clusters), path(getpath(["clusters"]))]`, nil, false},
		{`.proxies[-1:][].routes | length`, sections("routes", 20), false},
		{`.proxies[] | select(.rds == "STALE") | .clusters | length`, sections("clusters", stale...), false},
		{`[.proxies[] | select(.rds == "STALE") | .clusters[].name]`, sections("clusters", stale...), false},
		{`.proxies | map(select(.rds == "STALE")) | .[0].clusters | length`, sections("clusters", 3), false},
		{`.proxies | sort_by(.name) | reverse | [.[0:3][].clusters | length]`, sections("clusters", 18, 19, 20), false},
		{`[.proxies | sort_by(.name)[0:3][].clusters | length]`, sections("clusters", 0, 1, 2), false},
		{`.proxies | INDEX(.name) | .["pod-004"].clusters | length`, sections("clusters", 4), false},
		{`.proxies | group_by(.ns)[1] | map(.clusters | length) | add`, sections("clusters", 1, 4, 7, 10, 13, 16, 19), false},
		{`.proxies | min_by(.i).clusters | length`, sections("clusters", 0), false},
		{`.proxies | unique_by(.ns) | map(.routes | length)`, sections("routes", 0, 1, 2), false},
		{`reduce .proxies[] as $p ({}; if $p.rds == "STALE" then .[$p.name] = ($p.clusters | length) else . end)`, sections("clusters", stale...), false},
		{`[foreach .proxies[] as $p (0; if $p.i < 3 then . + ($p.routes | length) else . end)] | last`, sections("routes", 0, 1, 2), false},
		{`"routes" as $k | .proxies[7] | .[$k] | length`, sections("routes", 7), false},
		{`.proxies[2] | to_entries | map(select(.key == "clusters"))[0].value | length`, sections("clusters", 2), false},
		{`.proxies[2].clusters |= length | .proxies[2].clusters`, sections("clusters", 2), false},
		{`(.proxies[] | select(.i == 2) | .clusters) |= map(.name) | .proxies[2].clusters`, sections("clusters", 2), false},
		{`.proxies[2] | del(.clusters[0]) | .clusters | length`, sections("clusters", 2), false},
		{`[path(.proxies[3].clusters[])] | length`, sections("clusters", 3), false},
		{`[.proxies[1, 2].clusters == .proxies[1].clusters]`, sections("clusters", 1, 2), false},
		{`.proxies[3] | [.clusters, .routes] | map(length)`, append(sections("clusters", 3), sections("routes", 3)...), false},
		{`[.proxies[] | {n: .name, c: .clusters}] | .[4].c | length`, sections("clusters", 4), false},
		{`def stale: .proxies[] | select(.rds == "STALE"); [stale | .clusters | length] | add`, sections("clusters", stale...), false},
		{`.proxies | to_entries[] | select(.key == 5) | .value.clusters | length`, sections("clusters", 5), false},
		{`[.proxies[] | .clusters[0].name] | length`, sections("clusters", upTo(n)...), false},
		{`[.proxies[] | (.clusters | length), .routes] | length`, sections("clusters", upTo(n)...), false},
		{`first(.proxies[] | select(.clusters | length > 2)).name`, sections("clusters", 0, 1, 2), true},
		{`any(.proxies[]; .clusters | length > 2)`, sections("clusters", 0, 1, 2), true},
		{`[limit(2; .proxies[] | .clusters | length)]`, sections("clusters", 0, 1), true},
		{`isempty(.proxies[] | .clusters[])`, sections("clusters", 0), true},
		{`label $out | .proxies[] | if .clusters | length > 2 then .name, break $out else empty end`, sections("clusters", 0, 1, 2), true},
		{`.proxies | any(.routes | length > 1)`, sections("routes", 0, 1), true},
		{`[.proxies[].clusters | length] | first`, sections("clusters", upTo(n)...), false},
	} {
		slices.Sort(tc.loads)
		for _, workers := range []int{1, 16} {
			f := newFake(n, 0)
			got := ask(context.Background(), t, tc.query, f.document(), workers)
			want := askGojq(t, tc.query, f.plain())
			if got.String() != want.String() {
				t.Errorf("%s with %d workers: %s\nwant %s", tc.query, workers, got, want)
			}
			loads := f.loaded()
			switch {
			case workers == 1 || !tc.early:
				if !slices.Equal(loads, tc.loads) {
					t.Errorf("%s with %d workers: loaded %s, want %s", tc.query, workers, strings.Join(loads, " "), strings.Join(tc.loads, " "))
				}
			case len(loads) > len(tc.loads)+2*workers:
				t.Errorf("%s: stops early, but loaded %d", tc.query, len(loads))
			}
		}
	}
}
