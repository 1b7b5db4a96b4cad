package plugin

import (
	"bytes"
	"context"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/test/fleet"
	"github.com/meshq/kubectl-meshq/test/fleet/ledger"
)

// overFleet runs the program over a simulated fleet of proxies behind an API
// server. It returns the standard output, the standard error, the exit code and the
// number of requests that the fleet counted.
func overFleet(t *testing.T, o fleet.Options, args ...string) (out, report string, code int, count ledger.Count) {
	t.Helper()
	o.Captures, o.Seed, o.Istiods = filepath.Join("..", "sources", "testdata", "stale"), 1, max(o.Istiods, 1)
	f, err := fleet.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Serve(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var stdout, stderr bytes.Buffer
	w := &process.World{
		Args: append([]string{"kubectl-meshq", "--kubeconfig", f.Kubeconfig}, args...), In: &bytes.Buffer{}, Out: &stdout, Err: &stderr, Now: time.Now,
		Sleep: func(ctx context.Context, d time.Duration) error { return nil },
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	code = execute(ctx, w)
	return stdout.String(), stderr.String(), code, f.Counters().Read()
}

// TestConcurrencyBoundsSessions checks that --concurrency sets the number of
// sessions to pods that are open at the same time. A high value also raises the
// number above the default size of the pool.
func TestConcurrencyBoundsSessions(t *testing.T) {
	const query = `any(.proxies[].clusters[]; .name == "nope")`
	for concurrency, bounds := range map[int][2]int{2: {1, 5}, 60: {35, 92}} {
		o := fleet.Options{Proxies: concurrency + 8, Latency: 300 * time.Millisecond}
		out, report, code, count := overFleet(t, o, "--concurrency", strconv.Itoa(concurrency), query)
		if out != "false\n" || code != 0 {
			t.Fatalf("%s%s exit code %d", out, report, code)
		}
		if n := count.MostSessions; n < bounds[0] || n > bounds[1] {
			t.Errorf("--concurrency %d: %d sessions at once, expected %v", concurrency, n, bounds)
		}
	}
}

// TestCheckAsksEachProxyOnce checks that the command check sends one request to
// each Envoy, in one session.
func TestCheckAsksEachProxyOnce(t *testing.T) {
	const proxies, istiods = 40, 2
	_, report, code, count := overFleet(t, fleet.Options{Proxies: proxies, Istiods: istiods}, "check")
	if code != 0 && code != process.ExitPartial {
		t.Fatalf("%s exit code %d", report, code)
	}
	if count.Envoys.Requests != proxies || count.Sessions > proxies+2*istiods || count.Overlaps > 0 {
		t.Errorf("%d requests to Envoys in %d sessions, %d overlaps: %v", count.Envoys.Requests, count.Sessions, count.Overlaps, count.Envoys.Paths)
	}
}

// TestExplainFoldsAlikeRequests checks that --explain prints a single line for
// requests that were sent to every proxy.
func TestExplainFoldsAlikeRequests(t *testing.T) {
	_, report, code, _ := overFleet(t, fleet.Options{Proxies: 12}, "--explain", `[.proxies[].routes[]] | length`)
	if code != 0 || !strings.Contains(report, "asked    12 proxies: config_dump?mask=") || strings.Count(report, "asked ") > 5 {
		t.Errorf("exit code %d:\n%s", code, report)
	}
}

// TestEveryLimitIsInForce runs a query below and above each limit that a flag sets. A
// flag that no code reads any more would not change the outcome.
func TestEveryLimitIsInForce(t *testing.T) {
	const whole = `[.proxies[]] | tojson | length > 1000`
	names := `[.proxies[].clusters[].name] | length > 0`
	for _, tc := range []struct {
		flag        string
		mesh        fleet.Options
		query       string
		most, least string // values of the flag with which the query can't end, and can
		code        int    // the exit code with the first value
		report      string // a part of what is said then
		with        []string
		other       int // the exit code with the second value

	}{
		{"--max-fetch", fleet.Options{Proxies: 3}, whole, "2", "3", process.ExitUsage, "more than 2 whole proxies", nil, 0},
		{"--memory", fleet.Options{Proxies: 1}, `[limit(2000000; .proxies[0].id | repeat(.))] | length > 0`, "8Mi", "1Gi", process.ExitRun, "8 MiB", nil, 0},
		{"--spool", fleet.Options{Proxies: 30, Bytes: 2e6}, `[.proxies[].routes[].virtualHosts[].name] | length > 0`, "100Ki", "1Gi", process.ExitPartial, "--spool", nil, 0},
		{"--timeout", fleet.Options{Proxies: 2, Hung: 1}, names, "300ms", "1m", process.ExitRun, "--timeout", []string{"--request-timeout", "900ms"}, process.ExitPartial},
		{"--request-timeout", fleet.Options{Proxies: 2, Latency: 600 * time.Millisecond}, names, "200ms", "30s", process.ExitPartial, "200ms", nil, 0},
	} {
		t.Run(tc.flag, func(t *testing.T) {
			t.Parallel() // most of the time is waiting
			run := func(value string, code int) string {
				out, report, got, _ := overFleet(t, tc.mesh, append([]string{tc.flag, value, tc.query}, tc.with...)...)
				if got != code || code == 0 && (out != "true\n" || report != "") {
					t.Errorf("%s %s: exit code %d, want %d: %s%s", tc.flag, value, got, code, out, report)
				}
				return report
			}
			if report := run(tc.most, tc.code); !strings.Contains(report, tc.report) {
				t.Errorf("%s %s: %s", tc.flag, tc.most, report)
			}
			if report := run(tc.least, tc.other); strings.Contains(report, tc.report) {
				t.Errorf("%s %s: %s", tc.flag, tc.least, report)
			}
		})
	}
}
