package traces

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/test/program"
	"github.com/meshq/kubectl-meshq/test/unpack"
)

// A verdict is the part of a finding that these tests compare.
type verdict struct{ severity, check, proxy, subject string }

func (v verdict) String() string {
	return strings.Join([]string{v.severity, v.check, v.subject}, " ")
}

// verdicts runs the command in words, a check or all checks, on a snapshot. It
// returns one verdict for each finding and proxy, and the exit code.
func verdicts(t *testing.T, snapshot string, words ...string) (all []verdict, code int) {
	t.Helper()
	out, _, code := program.Run(t, slices.Concat(words, []string{"--snapshot", snapshot, "-c"})...)
	for line := range strings.Lines(out) {
		var f struct {
			Severity, Check, Proxy, Subject string
			Proxies                         []string
			Message, Next, ID               string
		}
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if f.Message == "" || f.Next == "" || f.ID == "" {
			t.Errorf("%s says too little", line)
		}
		if f.Proxies == nil {
			f.Proxies = []string{f.Proxy}
		}
		for _, p := range f.Proxies {
			all = append(all, verdict{f.Severity, f.Check, p, f.Subject})
		}
	}
	return all, code
}

func testCase(name string) string { return filepath.Join("testdata", "cases", name+".json") }

// TestCheckJudgesSingleDumps runs all checks on single config dumps. A check for
// which the dump has no data must be listed as unknown, after the findings, and
// the exit code must be 6.
func TestCheckJudgesSingleDumps(t *testing.T) {
	ofIstiod := []string{"unknown disconnected connected", "unknown rejected sync", "unknown stale sync", "unknown behind sync", "unknown conflicting-domains virtualServices", "unknown skew pilot"}
	noEDS := []string{"unknown disconnected connected", "unknown rejected sync", "unknown stale sync", "unknown unhealthy-clusters endpoints", "unknown behind sync", "unknown conflicting-domains virtualServices", "unknown skew pilot"}
	for name, want := range map[string][]string{
		"no-eds": append([]string{
			"error missing-clusters outbound|9080|v9|reviews.default.svc.cluster.local",
			"warning shadowed-routes 9080 reviews.default.svc.cluster.local:9080 3",
		}, noEDS...),
		"i49717":              append([]string{"error missing-clusters outbound|8443||keycloak-http.idp.svc.cluster.local"}, ofIstiod...),
		"i39921":              append([]string{"error rejected listener 0.0.0.0_443"}, ofIstiod...),
		"error-state":         append([]string{"error rejected listener default/eg/http", "error rejected cluster bad"}, ofIstiod...),
		"connect-after-slash": ofIstiod,
	} {
		all, code := verdicts(t, testCase(name), "check")
		var got []string
		for _, v := range all {
			got = append(got, v.String())
		}
		if !slices.Equal(got, want) || code != 6 {
			t.Errorf("%s: exit code %d, %q\nwant %q", name, code, got, want)
		}
	}
}

// TestGateFailsIfNothingCouldBeRead checks that a gate fails if nothing could be
// read, unless a flag allows that.
func TestGateFailsIfNothingCouldBeRead(t *testing.T) {
	for _, name := range []string{"check", "disconnected", "stale", "rejected", "behind", "skew", "unhealthy-clusters", "conflicting-domains"} {
		for _, c := range []struct {
			code  int
			flags string
		}{
			{6, ""}, {0, "--allow-partial"}, {1, "--fail-on-match"}, {1, "--fail-on-match --allow-partial"}, {1, "--fail-on-match --unknown=fail --allow-partial -q"},
			{0, "--unknown=warn"}, {0, "--fail-on-match --unknown=warn --only stale,skew"}, {1, "--fail-on-match --unknown=warn"},
		} {
			if name != "check" {
				if c.flags, c.code = strings.TrimSuffix(c.flags, " --only stale,skew"), map[bool]int{true: 0, false: c.code}[c.flags == "--fail-on-match --unknown=warn"]; c.flags == "" {
					c.code = 6
				}
			}
			out, errs, code := program.Run(t, append(strings.Fields(name+" "+c.flags), "--snapshot", testCase("no-eds"))...)
			if code != c.code || !strings.Contains(errs, "unknown: ") || out == "" != strings.Contains(c.flags, "-q") {
				t.Errorf("%s %s: exit code %d, want %d\n%s%s", name, c.flags, code, c.code, out, errs)
			}
		}
	}
	_, errs, code := program.Run(t, strings.Fields("check --fail-on-match --skip disconnected,stale,rejected,behind --skip skew --skip conflicting-domains --snapshot "+testCase("i39921"))...)
	if code != 0 || errs != "" {
		t.Errorf("with all left out that is unknown: exit code %d, %s", code, errs)
	}
}

// TestUnavailablePartsFailAnyGate checks that an unavailable part makes the
// gate of any query fail.
func TestUnavailablePartsFailAnyGate(t *testing.T) {
	dir := t.TempDir()
	if err := unpack.Demo(dir, func(name string) bool { return name != "proxies/"+program.Victim+"/config_dump.json" }); err != nil {
		t.Fatal(err)
	}
	const none = `.proxies[].clusters[] | select(.name == "none")`
	for flags, want := range map[string]int{"": 6, "--allow-partial": 0, "--fail-on-match": 6, "--fail-on-match --allow-partial": 6, "--fail-on-match --unknown=warn": 0} {
		if _, errs, code := program.Run(t, append(strings.Fields(flags), none, "--snapshot", dir)...); code != want {
			t.Errorf("%s: exit code %d, want %d: %s", flags, code, want, errs)
		}
	}
}

// TestCheckWithoutAPartAddsNoFindings leaves out one part of a mesh at a time.
// Findings that don't need the part stay, the checks that need it are unknown,
// and there are no new findings.
func TestCheckWithoutAPartAddsNoFindings(t *testing.T) {
	whole := t.TempDir()
	if err := unpack.Demo(whole, func(string) bool { return true }); err != nil {
		t.Fatal(err)
	}
	all, _ := verdicts(t, whole, "check")
	lists, err := filepath.Glob(filepath.Join(whole, "kubernetes", "*.json"))
	if err != nil || len(lists) < 5 {
		t.Fatalf("%d lists, %v", len(lists), err)
	}
	mesh, ofEach := map[string]int{}, func(n int, checks ...string) map[string]int {
		m := map[string]int{}
		for _, c := range checks {
			m[c] = n
		}
		return m
	}
	for _, c := range []struct {
		name  string
		keeps func(file string) bool
		want  map[string]int // how often each check becomes unknown
	}{
		{"VirtualServices", func(f string) bool { return !strings.HasPrefix(f, "kubernetes/virtualservices") }, ofEach(1, "conflicting-domains")},
		{"what the least role forbids", func(f string) bool { return !strings.HasPrefix(f, "kubernetes/") || f == "kubernetes/pods.json" }, ofEach(1, "conflicting-domains")},
		{"pods", func(f string) bool { return f != "kubernetes/pods.json" }, ofEach(1, "disconnected")},
		{"services", func(f string) bool { return f != "kubernetes/services.json" }, mesh},
		{"syncz", func(f string) bool { return !strings.HasSuffix(f, "/syncz.json") }, ofEach(7, "stale", "rejected", "behind")},
		{"istiod", func(f string) bool { return !strings.HasPrefix(f, "pilots/") }, ofEach(7, "stale", "rejected", "behind", "disconnected", "skew")},
		{"a dump", func(f string) bool { return f != "proxies/"+program.Victim+"/config_dump.json" },
			ofEach(1, "rejected", "conflicting-domains", "expiring", "missing-clusters", "missing-secrets", "permissive", "shadowed-routes", "unhealthy-clusters")},
	} {
		dir := t.TempDir()
		if err := unpack.Demo(dir, c.keeps); err != nil {
			t.Fatal(err)
		}
		got, code := verdicts(t, dir, "check")
		unknown := map[string]int{}
		for _, v := range got {
			if v.severity != "unknown" {
				if !slices.Contains(all, v) {
					t.Errorf("without %s: %v of %q is new", c.name, v, v.proxy)
				}
			} else if !slices.Contains(all, v) {
				unknown[v.check]++
			}
		}
		for _, v := range all {
			lost := !slices.Contains(got, v) && !slices.ContainsFunc(got, func(u verdict) bool {
				return u.severity == "unknown" && u.check == v.check && (u.proxy == "" || u.proxy == v.proxy)
			})
			if lost && v.severity != "unknown" {
				t.Errorf("without %s: %v of %q is silent", c.name, v, v.proxy)
			}
		}
		for check, n := range c.want {
			if unknown[check] != n {
				t.Errorf("without %s: %s is unknown %d times, want %d", c.name, check, unknown[check], n)
			}
		}
		if len(unknown) != len(c.want) || code != 6 {
			t.Errorf("without %s: exit code %d, unknown %v, want %v", c.name, code, unknown, c.want)
		}
	}
}

// TestDescribeNamesWhatIsUnknown checks that describe names what it could not
// read, and the configuration that is in force in Envoy.
func TestDescribeNamesWhatIsUnknown(t *testing.T) {
	out, _, code := program.Run(t, "describe", "app", "--snapshot", testCase("no-eds"))
	for _, what := range []string{"Pilot", "Service", "PeerAuthentication", "AuthorizationPolicy", "RequestAuthentication", "Sidecar", "EnvoyFilter"} {
		if !hasLineWith(out, " "+what+" ", "unknown (not read)") {
			t.Errorf("%s is not unknown:\n%s", what, out)
		}
	}
	if code != 6 || strings.Contains(out, "PERMISSIVE") || strings.Contains(out, "not connected") {
		t.Errorf("exit code %d:\n%s", code, out)
	}

	dir := t.TempDir()
	if err := unpack.Demo(dir, func(name string) bool { return !strings.HasPrefix(name, "kubernetes/authorizationpolicies") }); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(testCase("rootpolicy.authorizationpolicies"))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "kubernetes", "authorizationpolicies.security.istio.io.json"), text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	out, _, _ = program.Run(t, "describe", "reviews-v1", "--snapshot", dir)
	if !hasLineWith(out, "AuthorizationPolicy", "root-deny.istio-system") || !hasLineWith(out, "AuthorizationPolicy", "deny-post.default") || strings.Contains(out, "for-waypoint") {
		t.Errorf("a policy of the root namespace that selects applies everywhere, one with targetRefs to its targets alone:\n%s", out)
	}

	out, _, _ = program.Run(t, "describe", "ratings-v1", "--snapshot", "demo")
	if !hasLineWith(out, "strict.default", "STRICT is not in force: plain text gets in on port 9080") || !strings.Contains(out, "Envoy rejected the listener virtualInbound: ") {
		t.Errorf("the listener that would be STRICT was rejected:\n%s", out)
	}
	if err := os.Remove(filepath.Join(dir, "proxies", ratingsProxy, "config_dump.json")); err != nil {
		t.Fatal(err)
	}
	if out, _, _ = program.Run(t, "describe", "ratings-v1", "--snapshot", dir); !hasLineWith(out, "strict.default", "mutual TLS is to be STRICT; whether that is in force is unknown (not read)") {
		t.Errorf("what Envoy does was not read:\n%s", out)
	}
}

// ratingsProxy is the proxy of the demo that rejected a listener.
const ratingsProxy = "ratings-v1-7dc98c7588-8jsbw.default"

// hasLineWith reports whether some line contains all the given texts.
func hasLineWith(text string, parts ...string) bool {
	for line := range strings.Lines(text) {
		if !slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(line, p) }) {
			return true
		}
	}
	return false
}
