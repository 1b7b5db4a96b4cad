package eval

import (
	"context"
	"slices"
	"testing"
	"time"
)

// TestJudgedGivesWhatIsUnknown checks that a check yields a result for each proxy that
// could not be checked, after all other results. The failed loads are also reported as
// usual.
func TestJudgedGivesWhatIsUnknown(t *testing.T) {
	bad := []string{"pod-001.ns1/clusters", "pod-003.ns0/clusters", "pod-003.ns0/routes", "pod-005.ns2/routes"}
	for _, c := range []struct{ name, query, want string }{
		{"for a proxy", `_judged(.proxies[] | .clusters | length; "\(.proxy) \(.message)")`,
			`[1,3,1,2,"pod-001.ns1 clusters: port 15000 refused","pod-003.ns0 clusters: port 15000 refused"]`},
		{"in an array", `_judged([.proxies[] | .clusters | length] | add; .proxy)`, `[7,"pod-001.ns1","pod-003.ns0"]`},
		{"two sections in one", `_judged(.proxies[] | _apart(.clusters[] | empty), (.routes[] | empty); .message)`,
			`["clusters: port 15000 refused","clusters, routes: port 15000 refused","routes: port 15000 refused"]`},
		{"each part apart", `_judged(.proxies[] | .i as $i | _apart(.clusters[] | $i), _apart(.routes | length); .proxy) | select(. != 9)`,
			`[0,1,2,2,2,2,3,4,1,5,5,"pod-001.ns1","pod-003.ns0","pod-005.ns2"]`},
		{"outside of an iteration", `_judged(.proxies[1].clusters; .proxy), "goes on"`, `["pod-001.ns1","goes on"]`},
		{"inside of an iteration", `.proxies[] | _judged(.clusters | length; .subject)`, `[1,"clusters",3,"clusters",1,2]`},
		{"what was caught", `_judged(.proxies[1] | try (.clusters | length) catch "caught"; .proxy)`, `["caught","pod-001.ns1"]`},
		{"an error of its own", `_judged(.proxies[] | .i + "x"; [.proxy, .message])`, `[["pod-000.ns0","number (0) and string (\"x\") cannot be added"]]`},
		{"not what follows", `. as $mesh | [_judged(1; .proxy) | try ($mesh.proxies[1].clusters | length) catch "mine"]`, `[["mine"]]`},
		{"not what follows, by an error", `try (_judged(.proxies[0].i; .proxy) | error("mine")) catch .`, `["mine"]`},
		{"none", `_judged(.proxies[0].clusters | length; .proxy)`, `[1]`},
		{"one in another", `_judged(_judged(.proxies[1].clusters; .subject); .proxy)`, `["clusters"]`},
	} {
		var faults []string
		for _, workers := range []int{1, 2, 64} {
			f := faulty(6, 100*time.Microsecond, bad...)
			a := ask(context.Background(), t, "["+c.query+"]", f.document(), workers)
			if len(a.out) != 1 || a.out[0] != c.want {
				t.Errorf("%s, %d workers: %v, want %s", c.name, workers, a, c.want)
			}
			if workers > 1 && !slices.Equal(a.faults, faults) {
				t.Errorf("%s, %d workers: reported %q, with one %q", c.name, workers, a.faults, faults)
			}
			faults = a.faults
		}
	}
}

// TestJudgedIsTheSameAhead checks a query of which a part is evaluated again because a
// proxy was dropped. No result about an unchecked proxy may be lost, and no message may
// be reported twice.
func TestJudgedIsTheSameAhead(t *testing.T) {
	for _, query := range []string{
		`def twice: .proxies[] | (., .); [_judged(twice | .clusters | length; .)]`,
		`[.proxies[] | _judged((.clusters, .routes) | length; .) | if type == "object" then . else 0 end]`,
		`.proxies as $all | [limit(30; .proxies[] | _judged($all[1:4][] | select(.routes) | (., .) | .clusters | length; .))]`,
		`def meets: .proxies[] | (., _judged(.routes | empty; .), .); [meets | _judged(.clusters | length; .)]`,
		`[.proxies[] | (., .) | _judged(.clusters | length; .)] , [_judged(.proxies[] | [.routes[] | .name] | length; .)]`,
		`reduce _judged(.proxies[] | (., .) | .clusters | length; .) as $x ([]; . + [$x])`,
		`[foreach (.proxies[] | _judged(.routes | length; .)) as $x (0; . + 1; [., $x])]`,
	} {
		bad := []string{"pod-001.ns1/clusters", "pod-002.ns2/routes", "pod-003.ns0/clusters", "pod-003.ns0/routes"}
		code := mustCompile(t, query, Options{})
		with := func(workers int) *answer {
			f := faulty(6, 100*time.Microsecond, bad...)
			return askWith(context.Background(), code, f.document(), RunOptions{Workers: workers, Finish: finishDeep})
		}
		want := with(1)
		for _, workers := range []int{2, 64} {
			for range 5 {
				if got := with(workers); got.String() != want.String() || !slices.Equal(got.faults, want.faults) {
					t.Errorf("%s with %d workers: %s, reported %q\none by one: %s, reported %q", query, workers, got, got.faults, want, want.faults)
				}
			}
		}
	}
}
