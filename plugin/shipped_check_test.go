package plugin

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/plugin/process"
)

// findings runs all checks over a snapshot.
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

// unasked are the services that nothing runs behind in the mesh of the
// recordings, which was made without Kubernetes: istiod and the API server
// were processes beside it. Only the routes that Istio makes for every service
// lead to them.
var unasked = []string{
	"info unhealthy-clusters/outbound|15010||istiod.istio-system.svc.cluster.local",
	"info unhealthy-clusters/outbound|15012||istiod.istio-system.svc.cluster.local",
	"info unhealthy-clusters/outbound|15014||istiod.istio-system.svc.cluster.local",
	"info unhealthy-clusters/outbound|443||istiod.istio-system.svc.cluster.local",
	"info unhealthy-clusters/outbound|443||kubernetes.default.svc.cluster.local",
}

// noVersion is unknown in the recordings: their istiod was built without one.
const noVersion = "unknown skew/unknown"

// TestCheckFindsWhatIsWrong runs all checks over the mesh that comes with the
// plugin. What is found there is wrong there, and nothing else is found.
func TestCheckFindsWhatIsWrong(t *testing.T) {
	want := slices.Concat([]string{
		// An EnvoyFilter put bogus.filter into its inbound listener, which Envoy does not know.
		"error rejected/" + theRatings + "/LDS",
		"error rejected/" + theRatings + "/listener virtualInbound",
		// Its stream was frozen before the last push: four types were sent 12 s ago, and none was taken.
		"error stale/reviews-v2-7d79d5bd5d-8zzqd.default",
		// The gateway's server for TLS names a Secret that there is not; Envoy has had nothing to say since.
		"warning missing-secrets/istio-ingressgateway-674cc989b8-76lqn.istio-system/kubernetes://secure-cred",
	}, unasked, []string{
		// No PeerAuthentication demands TLS of these; the one for ratings is in the listener that Envoy refused.
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

// TestCheckFindsNothing runs all checks over a mesh where nothing is wrong.
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
