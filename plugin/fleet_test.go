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
