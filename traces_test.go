package main

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"
)

// A tracedCase is a request, and what a real Envoy 1.40 did with it under the
// configuration of a proxy of the demo: "cluster NAME", "status CODE LOCATION",
// "tcp:CLUSTER" of a connection that is passed on, "tls:CHAIN" of one whose TLS
// ends there, or "closed".
type tracedCase struct {
	Proxy, Envoy string
	Request      json.RawMessage
}

// tracedCases reads testdata/traces.json.
func tracedCases[T any](t *testing.T) (all []T) {
	t.Helper()
	text, err := os.ReadFile("testdata/traces.json")
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestTracesAsEnvoy holds trace against what the real Envoy answered when the
// whole configuration of four proxies was put into it; the clusters led to an
// echo, and weights were decided by the number in the request.
func TestTracesAsEnvoy(t *testing.T) {
	cases := tracedCases[tracedCase](t)
	out, errs, code := meshq(t, "--snapshot", "demo", "-c", "--slurpfile", "cases=testdata/traces.json",
		`. as $mesh | $cases[0][] | . as $c | $mesh | .proxy($c.proxy).trace($c.request)
		| {cluster, reason, status, to: .redirectTo, chain: (first(.steps[] | select(.step == "filter chain") | .name) // "")}`)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if code != 0 || len(lines) != len(cases) {
		t.Fatalf("%d results of %d, exit code %d: %s", len(lines), len(cases), code, errs)
	}
	for i, c := range cases {
		var way traceEnd
		if err := json.Unmarshal([]byte(lines[i]), &way); err != nil {
			t.Fatal(err)
		}
		if got := way.said(c.Envoy); got != c.Envoy {
			t.Errorf("%s %s: Envoy %s, here %s (%s)", c.Proxy, c.Request, c.Envoy, got, way.Reason)
		}
	}
}

type traceEnd struct {
	Cluster, Reason, To, Chain string
	Status                     int
}

// said is the end in the words of what was recorded.
func (e traceEnd) said(recorded string) string {
	kind, _, _ := strings.Cut(recorded, ":")
	switch {
	case kind == "tls": // what is inside could not be seen
		return "tls:" + strings.TrimPrefix(e.Chain, "unnamed")
	case e.Reason == "NO_LISTENER" || e.Reason == "NO_FILTER_CHAIN" || e.Reason == "TLS_MISMATCH":
		return "closed"
	case e.Status != 0 && e.Reason != "NO_ENDPOINTS": // clusters that have none led to the echo too
		return strings.TrimSpace("status " + strconv.Itoa(e.Status) + " " + e.To)
	case kind == "tcp":
		return "tcp:" + e.Cluster
	}
	return "cluster " + e.Cluster
}
