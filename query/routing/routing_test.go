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

	"github.com/meshq/kubectl-meshq/sources/object"
)

// The golden files contain the answers of a real Envoy 1.40. routes.jsonl.gz has
// the answers to requests for 96 random route configurations.
// filter_chains.json.gz has the filter chains that 30 random listeners selected
// for connections.

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

// camel converts field names to camel case, as in the document. It converts every
// key, because the golden files contain no maps whose keys are data.
func camel(v any) any {
	switch x := object.FromPlain(v).(type) {
	case []any:
		for i := range x {
			x[i] = camel(x[i])
		}
		return x
	case *object.Object:
		m := object.New(0)
		for k, w := range x.All() {
			parts := strings.Split(k, "_")
			for i := 1; i < len(parts); i++ {
				parts[i] = strings.ToUpper(parts[i][:1]) + parts[i][1:]
			}
			m.Set(strings.Join(parts, ""), camel(w))
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
	x := &Cache{}
	n := 0
	for sc := newScanner(open(t, "testdata/routes.jsonl.gz")); sc.Scan(); {
		var line struct {
			HCM struct {
				StripAny bool `json:"strip_any_host_port"`
			}
			RouteConfig any `json:"route_config"`
			Cases       []routeCase
		}
		if err := object.Unmarshal(sc.Bytes(), &line); err != nil {
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

// TestUnknownInputsAreReported checks cases that the golden files don't contain.
// The answer must include everything that follows from the request, and
// Unsupported must name everything else.
func TestUnknownInputsAreReported(t *testing.T) {
	n := uint64(7)
	cluster := object.Of("cluster", "c")
	for _, c := range []struct {
		name  string
		match *object.Object
		route *object.Object
		r     Request
		want  string
	}{
		{"metadata of a route whose path differs", object.Of("path", "/x", "dynamicMetadata", []any{object.New(0)}), cluster, Request{Path: "/y"}, ""},
		{"metadata", object.Of("path", "/x", "dynamicMetadata", []any{object.New(0)}), cluster, Request{Path: "/x"}, "? dynamic metadata"},
		{"fraction by random", object.Of("prefix", "/", "runtimeFraction", object.Of("defaultValue", object.Of("numerator", 8))), cluster, Request{Path: "/", Random: &n}, "c"},
		{"fraction by random, too high", object.Of("prefix", "/", "runtimeFraction", object.Of("defaultValue", object.Of("numerator", 7))), cluster, Request{Path: "/", Random: &n}, ""},
		{"fraction", object.Of("prefix", "/", "runtimeFraction", object.Of("defaultValue", object.Of("numerator", 7))), cluster, Request{Path: "/"}, "c? runtime fraction 7/100"},
		{"a certificate without TLS", object.Of("prefix", "/", "tlsContext", object.Of("presented", true)), cluster, Request{Path: "/"}, ""},
		{"no certificate without TLS", object.Of("prefix", "/", "tlsContext", object.Of("presented", false)), cluster, Request{Path: "/"}, "c"},
		{"a certificate", object.Of("prefix", "/", "tlsContext", object.Of("presented", true)), cluster, Request{Path: "/", TLS: true}, "? client certificate"},
		{"CONNECT", object.Of("prefix", ""), cluster, Request{Method: "CONNECT"}, ""},
		{"CONNECT by its matcher", object.Of("connectMatcher", object.New(0)), cluster, Request{Method: "CONNECT"}, "c"},
		{"no cluster in the header", object.Of("prefix", "/"), object.Of("clusterHeader", "x"), Request{Path: "/"}, "503"},
		{"a host of the chosen cluster", object.Of("prefix", "/"), object.Of("weightedClusters", object.Of("clusters", []any{
			object.Of("name", "a", "weight", 5, "hostRewriteLiteral", "a.com"), object.Of("name", "b", "weight", 5, "hostRewriteLiteral", "b.com"),
		})), Request{Path: "/", Host: "h", Random: &n}, "b http://b.com/"},
		{"hash policy", object.Of("prefix", "/"), object.Of("weightedClusters", object.Of("useHashPolicy", true, "clusters", []any{
			object.Of("name", "a", "weight", 5), object.Of("name", "b", "weight", 5),
		})), Request{Path: "/", Random: &n}, "? hash policy"},
	} {
		vh := object.Of("routes", []any{object.Of("match", c.match, "route", c.route)})
		a, err := Host(context.Background(), &Cache{}, vh, HCM{}, c.r)
		if err != nil {
			t.Fatal(err)
		}
		if got := said(a); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func said(a *Answer) string {
	s := a.Cluster
	if a.DirectStatus != 0 {
		s = strconv.Itoa(a.DirectStatus)
	}
	if strings.Contains(a.URL, "b.com") {
		s += " " + a.URL
	}
	if len(a.Unsupported) > 0 {
		s += "? " + strings.Join(a.Unsupported, ", ")
	}
	return s
}

// TestConnectionManagerNormalizesRequests checks how a connection manager changes
// a request before it is routed.
func TestConnectionManagerNormalizesRequests(t *testing.T) {
	for _, c := range []struct {
		hcm              HCM
		host, path, want string
	}{
		{HCM{}, "h:80", "/a/../b", "h:80 /a/../b"},
		{HCM{}, "h", "/a#b", "400"},
		{HCM{StripAnyHostPort: true}, "h:80", "/", "h /"},
		{HCM{StripAnyHostPort: true}, "h:abc", "/", "h:abc /"},
		{HCM{StripAnyHostPort: true}, "[::1]:80", "/", "[::1] /"},
		{HCM{StripAnyHostPort: true}, "[::1]", "/", "[::1] /"},
		{HCM{StripMatchingHostPort: 80}, "h:80", "/", "h /"},
		{HCM{StripMatchingHostPort: 80}, "h:81", "/", "h:81 /"},
		{HCM{StripTrailingHostDot: true}, "h.:80", "/", "h:80 /"},
		{HCM{NormalizePath: true}, "h", "/a/../b/./c?x=/../y", "h /b/c?x=/../y"},
		{HCM{NormalizePath: true}, "h", `/a\b/%61%2F/..;x/c`, "h /a/b/c"},
		{HCM{NormalizePath: true}, "h", "/a%00", "400"},
		{HCM{NormalizePath: true}, "h", "/a/..", "h /"},
		{HCM{MergeSlashes: true}, "h", "//a///b?c=//d", "h /a/b?c=//d"},
		{HCM{EscapedSlashes: "KEEP_UNCHANGED"}, "h", "/a%2Fb", "h /a%2Fb"},
		{HCM{EscapedSlashes: "REJECT_REQUEST"}, "h", "/a%2Fb", "400"},
		{HCM{EscapedSlashes: "REJECT_REQUEST"}, "h", "/a?b=%2F", "h /a?b=%2F"},
		{HCM{EscapedSlashes: "UNESCAPE_AND_FORWARD", NormalizePath: true}, "h", "/a%2f..%5Cb?%2F", "h /b?%2F"},
		{HCM{EscapedSlashes: "UNESCAPE_AND_REDIRECT", MergeSlashes: true}, "h", "/a/%2Fb?x", "307 /a/b?x"},
		{HCM{NormalizePath: true, Envoy: Envoy{Version: func() string { return "1.39.0" }}}, "h", "/a/..;x/b", "h /a/..;x/b"},
	} {
		r, said := newChoice(context.Background(), &Cache{}, c.hcm.Envoy).prepare(c.hcm, Request{Host: c.host, Path: c.path})
		got := r.Host + " " + r.Path
		if said != nil {
			got = strings.TrimSpace(strconv.Itoa(max(said.Status, said.RedirectStatus)) + " " + said.RedirectTo)
		}
		if got != c.want {
			t.Errorf("%s %s: %s, want %s", c.host, c.path, got, c.want)
		}
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
	if a.Status != 404 {
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
	if c.Status == 400 { // if the status is 400, the other fields in the golden file have no meaning
		c.Route, got.Route = "", ""
	}
	w, _ := json.Marshal(c)
	g, _ := json.Marshal(got)
	if string(w) != string(g) {
		t.Errorf("Envoy %s\n  here %s", w, g)
	}
}

func routeName(a *Answer) string {
	m, _ := a.Route.(*object.Object)
	s, _ := m.Get("name").(string)
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
			taken, err := Chain(context.Background(), &Cache{}, Envoy{}, listener, connection(t, c), Seen{})
			if err != nil || taken.Unsupported != "" {
				t.Fatal(err, taken.Unsupported)
			}
			chain := taken.Chain
			m, _ := chain.(*object.Object)
			got, _ := m.Get("name").(string)
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
	d, _ := listener.(*object.Object).Get("defaultFilterChain").(*object.Object)
	return d != nil && d.Get("name") == chain.(*object.Object).Get("name")
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
