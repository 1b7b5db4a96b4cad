package plugin

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/plugin/process"
)

// findings runs all checks over a snapshot and returns the severity and the id of
// each finding.
func findings(t *testing.T, snapshot string, more ...string) (out []string) {
	t.Helper()
	said, errs, code := call(t, append([]string{"check", "--snapshot", snapshot, "-c"}, more...)...)
	defer func() {
		unknown := slices.ContainsFunc(out, func(f string) bool { return strings.HasPrefix(f, "unknown ") })
		if want := map[bool]int{false: process.ExitOK, true: process.ExitPartial}[unknown]; code != want {
			t.Errorf("%s: exit code %d, want %d: %s", snapshot, code, want, errs)
		}
	}()
	lines := json.NewDecoder(strings.NewReader(said))
	for lines.More() {
		var f struct{ ID, Severity, Kind, Message, Next string }
		if err := lines.Decode(&f); err != nil {
			t.Fatal(err)
		}
		if f.Kind != "Finding" || f.Message == "" || f.Next == "" {
			t.Errorf("%v says too little", f)
		}
		out = append(out, f.Severity+" "+f.ID)
	}
	return out
}

// unasked are the findings for the Services istiod and kubernetes of the recorded mesh.
// They have no endpoints, because istiod and the API server ran as separate processes
// and not in pods. Istio generates Envoy clusters for them anyway.
var unasked = []string{
	"info unhealthy-clusters/outbound|15010||istiod.istio-system.svc.cluster.local",
	"info unhealthy-clusters/outbound|15012||istiod.istio-system.svc.cluster.local",
	"info unhealthy-clusters/outbound|15014||istiod.istio-system.svc.cluster.local",
	"info unhealthy-clusters/outbound|443||istiod.istio-system.svc.cluster.local",
	"info unhealthy-clusters/outbound|443||kubernetes.default.svc.cluster.local",
}

// noVersion is the finding that istiod's version is unknown: the istiod of the
// recorded mesh was built without a version.
const noVersion = "unknown skew/unknown"

// TestCheckFindsWhatIsWrong runs all checks over the demo mesh. It checks that they
// find all of that mesh's faults and nothing else.
func TestCheckFindsWhatIsWrong(t *testing.T) {
	want := slices.Concat([]string{
		// An EnvoyFilter added bogus.filter to the inbound listener, and Envoy
		// doesn't know that filter.
		"error rejected/" + theRatings + "/LDS",
		"error rejected/" + theRatings + "/listener virtualInbound",
		// The stream to this proxy was frozen before the last push. Four resource
		// types were sent 12 s ago, and the proxy has accepted none of them.
		"error stale/reviews-v2-7d79d5bd5d-8zzqd.default",
		// The TLS server of the gateway names a Secret that doesn't exist. Envoy
		// has reported no error.
		"warning missing-secrets/istio-ingressgateway-674cc989b8-76lqn.istio-system/kubernetes://secure-cred",
	}, unasked, []string{
		// No PeerAuthentication requires mTLS for these proxies. The one for
		// ratings is part of the listener that Envoy rejected.
		"info permissive/port 9080",
		noVersion,
	})
	got := findings(t, "demo")
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant\n%q", got, want)
	}
	if got := findings(t, "demo", "--severity", "warning", "--skip", "stale, rejected", "--skip", "skew"); len(got) != 1 {
		t.Errorf("%q", got)
	}
	if got := findings(t, "demo", "--only", "stale,rejected,skew"); len(got) != 4 {
		t.Errorf("%q", got)
	}
}

// TestCheckFindsNothing checks that the checks find no fault in a mesh that has
// none.
func TestCheckFindsNothing(t *testing.T) {
	snapshot := filepath.Join(captures, "captures", "bookinfo")
	if dirs, err := filepath.Glob(filepath.Join(snapshot, "proxies", "*")); err != nil || len(dirs) == 0 {
		t.Skip("no recording here")
	}
	want := slices.Concat(unasked, []string{"info permissive/port 9080", noVersion})
	if got := findings(t, snapshot); !slices.Equal(got, want) {
		t.Errorf("%q\nwant\n%q", got, want)
	}
}
