package routing

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
)

// The goldens are what a real Envoy 1.40 answered: routes.jsonl.gz to requests
// for 96 random route configurations, filter_chains.json.gz to connections for
// 30 random listeners.

func open(t *testing.T, name string) io.Reader {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// camel names the members as the document does. The goldens hold no map whose
// keys are data.
func camel(v any) any {
	switch x := v.(type) {
	case []any:
		for i := range x {
			x[i] = camel(x[i])
		}
	case map[string]any:
		m := map[string]any{}
		for k, w := range x {
			parts := strings.Split(k, "_")
			for i := 1; i < len(parts); i++ {
				parts[i] = strings.ToUpper(parts[i][:1]) + parts[i][1:]
			}
			m[strings.Join(parts, "")] = camel(w)
		}
		return m
	case float64:
		return int(x)
	}
	return v
}

type routeCase struct {
	Authority, Method, Path, Route, Cluster, Location string
	Status                                            int
	Headers                                           [][2]string
	UpstreamHost                                      string `json:"upstream_host"`
	UpstreamPath                                      string `json:"upstream_path"`
}

func TestRoutesAsEnvoy(t *testing.T) {
	x := &Regexes{}
	n := 0
	for sc := newScanner(open(t, "testdata/routes.jsonl.gz")); sc.Scan(); {
		var line struct {
			HCM struct {
				StripAny bool `json:"strip_any_host_port"`
			}
			RouteConfig any `json:"route_config"`
			Cases       []routeCase
		}
		if err := json.Unmarshal(sc.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		rc := camel(line.RouteConfig)
		for _, c := range line.Cases {
			n++
			r := Request{Method: c.Method, Host: c.Authority, Path: c.Path, Headers: c.Headers}
			a, err := Configuration(context.Background(), x, rc, HCM{StripAnyHostPort: line.HCM.StripAny}, r)
			if err != nil {
				t.Fatal(err)
			}
			checkRoute(t, c, a)
		}
	}
	if n < 3000 {
		t.Errorf("only %d requests were tried", n)
	}
}

func newScanner(r io.Reader) *bufio.Scanner {
	s := bufio.NewScanner(r)
	s.Buffer(nil, 1<<20)
	return s
}

func checkRoute(t *testing.T, c routeCase, a *Answer) {
	t.Helper()
	got := routeCase{Authority: c.Authority, Method: c.Method, Path: c.Path, Headers: c.Headers, Status: 404}
	if a != nil {
		got.Status, got.Cluster, got.Location = 200, a.Cluster, a.RedirectTo
		got.Route = routeName(a)
		switch {
		case a.Status != 0:
			got.Status = a.Status
		case a.RedirectStatus != 0:
			got.Status = a.RedirectStatus
		case a.DirectStatus != 0:
			got.Status = a.DirectStatus
		default:
			_, rest, _ := strings.Cut(a.URL, "://")
			if host := c.UpstreamHost; strings.HasPrefix(rest, host) {
				got.UpstreamHost, got.UpstreamPath = host, rest[len(host):]
			} else {
				got.UpstreamHost = rest
			}
		}
		if len(a.Unsupported) > 0 {
			t.Errorf("%+v: unsupported %v", c, a.Unsupported)
		}
	}
	if c.Status == 400 { // what else a 400 says is not ours
		c.Route, got.Route = "", ""
	}
	w, _ := json.Marshal(c)
	g, _ := json.Marshal(got)
	if string(w) != string(g) {
		t.Errorf("Envoy %s\n  here %s", w, g)
	}
}

func routeName(a *Answer) string {
	m, _ := a.Route.(map[string]any)
	s, _ := m["name"].(string)
	return s
}

type chainCase struct {
	Source, Destination, SNI, Want string
	DirectSource                   string   `json:"direct_source"`
	Transport                      string   `json:"transport_protocol"`
	ALPN                           []string `json:"application_protocols"`
}

func TestFilterChainsAsEnvoy(t *testing.T) {
	var all []struct {
		Listener any
		Cases    []chainCase
	}
	if err := json.NewDecoder(open(t, "testdata/filter_chains.json.gz")).Decode(&all); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, l := range all {
		listener := camel(l.Listener)
		for _, c := range l.Cases {
			n++
			chain, unsupported, err := Chain(context.Background(), listener, connection(t, c))
			if err != nil || unsupported != "" {
				t.Fatal(err, unsupported)
			}
			m, _ := chain.(map[string]any)
			got, _ := m["name"].(string)
			if got != c.Want && !(c.Want == "DEFAULT" && chain != nil && isDefault(listener, chain)) && !(chain == nil && (c.Want == "" || c.Want == "CLOSED")) {
				t.Errorf("%+v: %q", c, got)
			}
		}
	}
	if n != 1200 {
		t.Errorf("%d probes were tried", n)
	}
}

func isDefault(listener, chain any) bool {
	d, _ := listener.(map[string]any)["defaultFilterChain"].(map[string]any)
	return d != nil && d["name"] == chain.(map[string]any)["name"]
}

func connection(t *testing.T, c chainCase) Request {
	src, sp := split(t, c.Source)
	dst, dp := split(t, c.Destination)
	return Request{
		Source: src, SourcePort: sp, Destination: dst, DestinationPort: dp, DirectSource: c.DirectSource,
		SNI: c.SNI, ALPN: c.ALPN, TLS: c.Transport == "tls",
	}
}

func split(t *testing.T, s string) (string, int) {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return host, n
}
