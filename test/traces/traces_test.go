package traces

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/test/program"
)

// A tracedCase is a request to a proxy of the demo, and what a real Envoy 1.40
// with that proxy's configuration did with it: "cluster NAME", "status CODE
// LOCATION", "tcp:CLUSTER" for a forwarded connection, "tls:CHAIN" for a
// connection whose TLS it terminated, or "closed".
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

// TestTracesMatchEnvoy compares traces with the recorded behaviour of a real Envoy
// that had the whole configuration of four proxies. Its clusters all led to an
// echo server, and a number in the request decided between weights.
func TestTracesMatchEnvoy(t *testing.T) {
	cases := tracedCases[tracedCase](t)
	out, errs, code := program.Run(t, "--snapshot", "demo", "-c", "--slurpfile", "cases=testdata/traces.json",
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

// said returns the end of a trace in the form of the recorded behaviour.
func (e traceEnd) said(recorded string) string {
	kind, _, _ := strings.Cut(recorded, ":")
	switch {
	case kind == "tls": // the request inside TLS could not be seen
		return "tls:" + strings.TrimPrefix(e.Chain, "unnamed")
	case e.Reason == "NO_LISTENER" || e.Reason == "NO_FILTER_CHAIN" || e.Reason == "TLS_MISMATCH":
		return "closed"
	case e.Status != 0 && e.Reason != "NO_ENDPOINTS": // in the recording, clusters without endpoints led to the echo server too
		return strings.TrimSpace("status " + strconv.Itoa(e.Status) + " " + e.To)
	case kind == "tcp":
		return "tcp:" + e.Cluster
	}
	return "cluster " + e.Cluster
}
