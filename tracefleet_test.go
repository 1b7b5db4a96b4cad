package main

import (
	"strings"
	"testing"

	simulated "github.com/meshq/kubectl-meshq/test/fleet"
)

// TestTraceOverFleet asks a live fleet where its proxies would send a request:
// each Envoy is asked for the listeners of the port, the route configuration,
// the clusters and their endpoints, one request each, by name, beside who it is;
// never for a whole section, and one request at a time.
func TestTraceOverFleet(t *testing.T) {
	const proxies, dump = 12, 3_000_000
	f, err := simulated.New(simulated.Options{Captures: "sources/testdata/stale", Seed: 1, Proxies: proxies, Istiods: 1, Bytes: dump})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if err := f.ServeDirect(); err != nil {
		t.Fatal(err)
	}
	args := []string{"-c"}
	for _, p := range f.Pilots {
		args = append(args, "--pilot", p)
	}
	for _, e := range f.Envoys {
		args = append(args, "--envoy", e)
	}
	f.Counters().Reset()
	out, errs, code := meshq(t, append(args, `[.proxies[] | trace("http://reviews:9080/reviews/1") | {cluster, reason, clusters: (.clusters | length)}] | group_by(.) | map({(.[0] | tojson): length}) | add`)...)
	if want := `{"{\"cluster\":null,\"clusters\":2,\"reason\":null}":12}`; code != 0 || strings.TrimSpace(out) != want {
		t.Fatalf("exit code %d: %s, want %s\n%s", code, out, want, errs)
	}
	n := f.Counters().Read()
	for path, times := range n.Envoys.Paths {
		if path != "/config_dump?mask=bootstrap" && (!strings.Contains(path, "name_regex=") || times > proxies) {
			t.Errorf("asked %d times for %s", times, path)
		}
	}
	if n.Proxies != proxies || n.Envoys.Requests > 5*proxies || n.Overlaps > 0 || n.Envoys.Bytes > proxies*dump/50 {
		t.Errorf("%d proxies were asked %d requests, %d bytes, %d of them at once: %v", n.Proxies, n.Envoys.Requests, n.Envoys.Bytes, n.Overlaps, n.Envoys.Paths)
	}
}
