package traces

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/test/program"
)

// A traceCase is a trace command, its exit code, and lines of its output. A
// line that begins with "!" must not be printed.
type traceCase struct {
	name string
	args []string
	code int
	says []string
}

func (c traceCase) run(t *testing.T) {
	t.Run(c.name, func(t *testing.T) {
		out, errs, code := program.Run(t, c.args...)
		if code != c.code {
			t.Errorf("exit code %d, want %d: %s", code, c.code, errs)
		}
		for _, want := range c.says {
			not, isNot := strings.CutPrefix(want, "!")
			if text := out + errs; isNot && strings.Contains(text, not) || !isNot && !strings.Contains(text, want) {
				t.Errorf("want %q of\n%s%s", want, out, errs)
			}
		}
	})
}

func traceOf(file string, words ...string) []string {
	return append([]string{"trace", "--snapshot", "testdata/cases/" + file + ".json"}, words...)
}

// TestTraceNamesWhatIsUnknown traces requests in dumps that lack a part or
// have an older format. A trace must go on as far as it can, name what is
// missing, and not end as if everything were known.
func TestTraceNamesWhatIsUnknown(t *testing.T) {
	for _, c := range []traceCase{
		{"a policy as an extension", traceOf("lbpolicy-plain", "gw", "tcp://10.0.0.9:10080"), 0, []string{"10.0.0.1:80  100%", "ends          at an endpoint"}},
		{"a policy with zones", traceOf("lbpolicy-zone", "gw", "tcp://10.0.0.9:10080"), 0, []string{"10.0.0.1:80  100%"}},
		{"an IPv6 wildcard", traceOf("ipv6-only", "app", "http://[fd00::5]:9080/"), 0, []string{"listener             [::]_9080", "outbound|9080||reviews.default"}},
		{"an IPv6 wildcard, by name", traceOf("ipv6-only", "app", "http://reviews:9080/"), 0, []string{"listener             [::]_9080", "outbound|9080||reviews.default", "!unknown "}},
		{"no endpoints", traceOf("no-eds", "app", "http://reviews:9080/"), 6, []string{"cluster              outbound|9080||reviews.default.svc.cluster.local", "unknown              endpoints", "UNKNOWN", "!503"}},
		{"no endpoints, allowed", traceOf("no-eds", "app", "http://reviews:9080/", "--allow-partial"), 0, []string{"UNKNOWN"}},
		{"endpoints of no cluster", traceOf("consul-nocluster", "web-1", "tcp://10.0.0.1:15001"), 6, []string{"cluster       web.default.dc1.internal.example.consul", "unknown       endpoints", "!NO_ENDPOINTS"}},
		{"a destination with a port", traceOf("i51820", "app", "http://x:9080/", "--destination", "192.168.156.244:9080"), 0, []string{"192.168.156.244_9080", "!PASSTHROUGH"}},
		{"an IPv6 destination with a port", traceOf("i51820", "app", "http://x:9080/", "--destination", "[2001:db8::1]:444"), 0, []string{"[2001:db8::1]:444  100%"}},
		{"a bracketed destination", traceOf("ipv6-only", "app", "http://reviews:9080/", "--destination", "[fd00::5]"), 0, []string{"listener             [::]_9080"}},
		{"no address", traceOf("i51820", "app", "http://x:9080/", "--destination", "banana"), 2, []string{`"banana" is no address like`}},
		{"an open bracket", traceOf("i51820", "app", "http://x:9080/", "--destination", "[fd00::1"), 2, nil},
		{"a port alone", traceOf("i51820", "app", "http://x:9080/", "--destination", ":80"), 2, nil},
		{"a port too many", traceOf("i51820", "app", "http://x:9080/", "--destination", "1.2.3.4:99999"), 2, nil},
		{"a client certificate is needed", traceOf("mutual-gateway", "gw", "https://m.example.com:8443/"), 6, []string{"the client's certificate", "10.1.0.1:80"}},
		{"a client certificate is given", traceOf("mutual-gateway", "gw", "https://m.example.com:8443/", "--principal", "spiffe://a"), 6, []string{"!the client's certificate", "10.1.0.1:80"}},
		{"no client certificate", traceOf("mutual-gateway", "gw", "https://m.example.com:8443/", "--principal", ""), 1, []string{"TLS_MISMATCH"}},
		{"a certificate that isn't there", []string{"trace", "--snapshot", "demo", "istio-ingressgateway", "https://secure.example.com/"}, 1, []string{"kubernetes://secure-cred  (the secret is WARMING", "NO_CERTIFICATE"}},
		{"a stale proxy", []string{"trace", "--snapshot", "demo", "reviews-v2", "http://ratings:9080/"}, 0, []string{"proxy", "STALE", "CDS, LDS, EDS, RDS"}},
		{"shares", []string{"trace", "--snapshot", "demo", "productpage-v1", "http://reviews.default.svc.cluster.local/slow/1"}, 1, []string{"ends                 90% NO_CLUSTER, 10% FAULT  with status 503"}},
	} {
		c.run(t)
	}
}

// changedCase writes a copy of a case with texts replaced; pairs are old and new
// texts in turn. It returns the file.
func changedCase(t *testing.T, file string, pairs ...string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/cases/" + file + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var dump any
	if err := json.Unmarshal(text, &dump); err != nil { // normalizes the JSON
		t.Fatal(err)
	}
	if text, err = json.Marshal(dump); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(string(text), pairs[i]) {
			t.Fatalf("%s has no %s", file, pairs[i])
		}
		text = []byte(strings.ReplaceAll(string(text), pairs[i], pairs[i+1]))
	}
	path := filepath.Join(t.TempDir(), "config_dump.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestTraceNamesMissingSections checks that a trace which needs a missing
// section of the dump names that section and ends as UNKNOWN.
func TestTraceNamesMissingSections(t *testing.T) {
	for section, want := range map[string]string{
		"ListenersConfigDump": "unknown ", "ClustersConfigDump": "the clusters could not be read", "RoutesConfigDump": "the routes could not be read",
	} {
		path := changedCase(t, "no-eds", section, "OtherConfigDump")
		traceCase{section, []string{"trace", "--snapshot", path, "app", "http://reviews:9080/"}, 6, []string{want, "UNKNOWN", strings.ToLower(strings.TrimSuffix(section, "ConfigDump"))}}.run(t)
	}
}

// TestTraceReadsOlderNames checks that filters are recognized by their names up
// to Envoy 1.13, with or without a configuration. A configuration without types
// must be reported as not read.
func TestTraceReadsOlderNames(t *testing.T) {
	const inspector = `"name":"envoy.listener.tls_inspector"`
	url := []string{"gw", "https://httpbin.example.com/"}
	traced := func(path string) []string { return append([]string{"trace", "--snapshot", path}, url...) }
	reads := []string{"SNI httpbin.example.com", "outbound|8000||httpbin.default.svc.cluster.local", "10.1.0.1:80  100%"}
	for _, now := range []string{
		inspector,
		`"name":"envoy.filters.listener.tls_inspector"`,
		`"name":"mine","typed_config":{"@type":"type.googleapis.com/envoy.config.filter.listener.tls_inspector.v2.TlsInspector"}`,
		inspector + `,"config":{}`,
		inspector + `,"typed_config":{"@type":"type.googleapis.com/google.protobuf.Empty"}`,
	} {
		traceCase{now, traced(changedCase(t, "old-inspector-name", inspector, now)), 6, reads}.run(t)
	}
	const manager, router = `envoy.filters.network.http_connection_manager"`, `"name":"envoy.filters.http.router","typed_config":{"@type":"type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}`
	const v3 = "envoy.extensions.filters.network.http_connection_manager.v3."
	for _, pairs := range [][]string{
		{manager, `envoy.http_connection_manager"`, v3, "envoy.config.filter.network.http_connection_manager.v2."},
		{router, `"name":"envoy.router"`},
		{router, `"name":"envoy.cors"},{"name":"envoy.fault"},{"name":"envoy.router","config":{}`},
	} {
		traceCase{strings.Join(pairs, " "), traced(changedCase(t, "old-inspector-name", pairs...)), 6, append(reads, "!envoy.router", "!envoy.fault")}.run(t)
	}
	traceCase{"a fault without types", traced(changedCase(t, "old-inspector-name", router, `"name":"envoy.fault","config":{"abort":{}}},{"name":"envoy.router"`)), 6, append(reads, "unknown              envoy.fault")}.run(t)
	untyped := changedCase(t, "old-inspector-name", manager+`,"typed_config":{`, `envoy.http_connection_manager","config":{`, `"@type":"type.googleapis.com/`+v3+`HttpConnectionManager",`, ``)
	traceCase{"a connection manager without types", traced(untyped), 6, []string{"envoy.http_connection_manager is in the form of Envoy up to 1.13", "UNKNOWN"}}.run(t)
}

// TestUnreachableFindsTCPProxies checks that unreachable finds listeners whose
// TCP proxy leads to no cluster, by name or by weights. A listener that can't
// be judged has a row of its own.
func TestUnreachableFindsTCPProxies(t *testing.T) {
	of := func(path string) []string { return []string{"--snapshot", path, "unreachable", "--no-headers"} }
	const single = `"cluster":"outbound|8443||keycloak-http.idp.svc.cluster.local"`
	weighted := changedCase(t, "i49717", single, `"weighted_clusters":{"clusters":[{"name":"BlackHoleCluster","weight":1},{"name":"gone","weight":1},{"name":"never","weight":0}]}`)
	for _, c := range []traceCase{
		{"a cluster", of("testdata/cases/i49717.json"), 0, []string{"NO_CLUSTER   outbound|8443||keycloak-http.idp.svc.cluster.local"}},
		{"weights", of(weighted), 0, []string{"NO_CLUSTER   gone", "!never"}},
		{"no endpoints", of("testdata/cases/no-eds.json"), 6, []string{"NO_CLUSTER   outbound|9080|v9|", "SHADOWED", "UNKNOWN      endpoints: "}},
		{"endpoints of no cluster", of("testdata/cases/consul-nocluster.json"), 6, []string{"UNKNOWN   endpoints: ", "!NO_ENDPOINTS"}},
		{"no clusters", of(changedCase(t, "no-eds", "ClustersConfigDump", "OtherConfigDump")), 6, []string{"SHADOWED", "clusters: ", "!NO_CLUSTER"}},
	} {
		c.run(t)
	}
}
