package trace_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// test/e2e recorded what a real Envoy 1.40 did. The file envoy.jsonl.gz contains
// random requests for random routes behind random connection managers, and random
// connections to random listeners. The file found.jsonl contains the cases in which
// this package once was wrong, reduced to the smallest form that still failed.

type recordedListener struct {
	Listener  json.RawMessage   // the listener whose routes were tested
	Listeners []json.RawMessage // the listeners of a proxy; connections arrive at the first one
	Cases     []struct {
		Request json.RawMessage
		Envoy   string
	}
}

func TestAsRecorded(t *testing.T) {
	routes, chains := 0, 0
	for _, name := range []string{"testdata/envoy.jsonl.gz", "testdata/found.jsonl"} {
		for r := range recorded(t, name) {
			if r.Listener != nil {
				routes += len(r.Cases)
				matchAsRecorded(t, r)
			} else {
				chains += len(r.Cases)
				traceAsRecorded(t, r)
			}
		}
	}
	if routes < 2000 || chains < 1000 {
		t.Errorf("only %d requests and %d connections were tried", routes, chains)
	}
}

func recorded(t *testing.T, name string) func(func(recordedListener) bool) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	in := io.Reader(f)
	if strings.HasSuffix(name, ".gz") {
		if in, err = gzip.NewReader(f); err != nil {
			t.Fatal(err)
		}
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	return func(yield func(recordedListener) bool) {
		for lines.Scan() {
			var r recordedListener
			if err := object.Unmarshal(lines.Bytes(), &r); err != nil {
				t.Fatal(name, err)
			}
			if !yield(r) {
				return
			}
		}
	}
}

// requests returns the requests of all cases as one JSON array.
func (r recordedListener) requests() string {
	var all []string
	for _, c := range r.Cases {
		all = append(all, string(c.Request))
	}
	return "[" + strings.Join(all, ",") + "]"
}

func matchAsRecorded(t *testing.T, r recordedListener) {
	t.Helper()
	in := mesh.NewObject("Listener", nil, decoded(t, string(r.Listener)).(*object.Object))
	out := traced(t, in, `. as $listener | `+r.requests()+`[] as $r | [$listener.match($r)][0]`)
	lines := strings.Split(out, "\n")
	if len(lines) != len(r.Cases) {
		t.Fatalf("%d answers to %d requests: %s", len(lines), len(r.Cases), out)
	}
	for i, c := range r.Cases {
		var m *matchedRoute
		if err := object.Unmarshal([]byte(lines[i]), &m); err != nil {
			t.Fatal(lines[i], err)
		}
		if got := m.said(c.Envoy); got != c.Envoy {
			t.Errorf("%s\nEnvoy: %s\n here: %s\n%s", c.Request, c.Envoy, got, r.Listener)
		}
	}
}

func traceAsRecorded(t *testing.T, r recordedListener) {
	t.Helper()
	proxy := mesh.NewObject("Proxy", nil, object.Of("id", "web.shop", "type", "sidecar", "ip", "10.0.0.1"))
	fields := object.Of("id", "web.shop", "name", "web", "namespace", "shop", "type", "sidecar", "ip", "10.0.0.1")
	var listeners []any
	for _, l := range r.Listeners {
		listeners = append(listeners, mesh.NewObject("Listener", proxy, decoded(t, string(l)).(*object.Object)))
	}
	fields.Set("listeners", listeners)
	fields.Set("clusters", []any{})
	fields.Set("routes", []any{})
	fields.Set("endpoints", []any{})
	in := mesh.NewObject("Mesh", nil, object.Of("proxies", []any{mesh.NewObject("Proxy", nil, fields)}, "services", []any{}))
	out := traced(t, in, `.proxies[0] as $proxy | `+r.requests()+`[] as $r | $proxy.trace($r) | first(.steps[] | select(.step == "filter chain") | .name) // ""`)
	lines := strings.Split(out, "\n")
	if len(lines) != len(r.Cases) {
		t.Fatalf("%d answers to %d connections: %s", len(lines), len(r.Cases), out)
	}
	for i, c := range r.Cases {
		if got := strings.Trim(lines[i], `"`); got != c.Envoy {
			t.Errorf("%s\nEnvoy: %q\n here: %q\n%s", c.Request, c.Envoy, got, r.Listeners)
		}
	}
}

// matchedRoute is the result of match.
type matchedRoute struct {
	Name, Cluster, URL string
	Route              *object.Object
	NonForwarding      *object.Object `json:"nonForwardingAction"`
	RedirectTo         struct {
		Status   int
		Location string
	}
	DirectStatus int
	Unsupported  []string
}

// said returns the result of match in the wording of the recorded results.
func (m *matchedRoute) said(recorded string) string {
	grpc := strings.HasSuffix(recorded, " itself, by gRPC") // a gRPC response always has status 200
	itself := func(name string, status int, location string) string {
		if grpc {
			return name + " itself, by gRPC"
		}
		return fmt.Sprintf("%s itself with %d %s", name, status, location)
	}
	switch {
	case m == nil:
		return itself("", 404, "")
	case m.NonForwarding != nil && m.DirectStatus == 503, m.Route != nil && m.DirectStatus != 403 && !strings.HasPrefix(m.Cluster, "c"): // the header that names the cluster is missing, or the cluster doesn't exist
		return m.Name + " to no cluster"
	case m.RedirectTo.Status != 0:
		return itself(m.Name, m.RedirectTo.Status, m.RedirectTo.Location)
	case slices.Contains([]int{400, 403}, m.DirectStatus): // Envoy responded before it chose a route
		return itself("", m.DirectStatus, "")
	case m.Route != nil:
		return m.Name + " to " + m.Cluster + " as " + m.URL
	}
	return itself(m.Name, m.DirectStatus, "")
}
