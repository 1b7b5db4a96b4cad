package e2e_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sameAnswers lists queries whose results must be the same for the live mesh and for its snapshot.
var sameAnswers = []string{
	".proxies[] | outline | del(.sync[].age, .annotations)",
	"[.proxies[] | synced, stale]",
	".pilots[] | [.name, .namespace, .revision, .ip, .connectedProxies, (.registryServices | length), (.config | length)]",
	".proxies[].clusters[]",
	".proxies[].listeners[] | del(.filterChains[]?.filters[]?.typedConfig.tracing.customTags)",
	".proxies[].routes[]",
	".proxies[].endpoints[]",
	".proxies[].secrets[] | [.name, .type, .serialNumber, .notAfter]",
	".proxies[].bootstrap.node.id",
	".proxies[].server.version",
	".proxies[].loggers",
	`.proxy("reviews-v1").cluster("` + ratingsCluster + `")`,
	`.proxy("productpage-v1").route("9080").virtualHosts[].name`,
	`.proxy("istio-ingressgateway").route("http.8080").match("/productpage").cluster`,
	".services[], .virtualServices[], .destinationRules[], .gateways[] | del(.metadata.managedFields)",
	".faults",
}

// snapshot checks that a recorded mesh gives the same answers as the live one, and that it contains no secret.
// Annotations and custom tags are excluded: they are free text, so the snapshot contains only their digests.
func snapshot(t *testing.T, w *world) {
	kubeconfig := w.account(t, "recorder", "kubectl-meshq", "kubectl-meshq-objects")
	file := filepath.Join(w.folder(t), "mesh.tar.zst")
	w.askAs(t, kubeconfig, "snapshot", file).exits(0)
	info, err := os.Stat(file)
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	same := func(words ...string) {
		t.Helper()
		live := w.askAs(t, kubeconfig, words...)
		offline := w.askAs(t, "/dev/null", append(words, "--snapshot", file)...)
		if words != nil && words[0] == "skew" { // this istiod was built without a version
			live.exits(6).says("version", "not known")
			offline.exits(6).says("version", "not known")
		} else {
			live.exits(0).quiet()
			offline.exits(0).quiet()
		}
		if diff := cmp.Diff(ageless(live.out), ageless(offline.out)); diff != "" {
			t.Errorf("%q: (-live +snapshot)\n%s", words, clip(diff))
		}
	}
	for _, query := range sameAnswers {
		same("-c", query)
	}
	for _, name := range w.shipped(t) {
		switch name {
		case "stats": // the counters keep counting, so compare only the names
			same("-c", "[.proxies[] | .stats | keys]")
		case "certs": // the remaining hours change, so compare only the dates
			same("-c", "[.proxies[].secrets[] | [.name, .notAfter]]")
		case "describe": // describe needs a name, and reads Gateway API types, which this cluster doesn't have
			same(name, "reviews-v1", "svc/ratings")
			same("-c", ".httpRoutes, .kubeGateways")
		case "check":
			same(name, "--skip", "skew")
		default:
			same(name)
		}
	}
	same() // the status table
	same("status", "-o", "name", "-l", "app=reviews")
	secret := w.askAs(t, "/dev/null", "--snapshot", file, "-c", ".pilots[], .proxies[], .pods[]", "--max-fetch", "0").exits(0)
	if strings.Contains(secret.out, "PRIVATE KEY") {
		t.Error("a private key is in the snapshot")
	}
	w.askAs(t, "/dev/null", "--snapshot", file, `[.pods[].spec | .containers[], .initContainers[]? | .env[]? | select(.name | test("^(PILOT|ISTIO)_") | not).value] | length > 0 and (unique | length == 1)`).exits(0).is(true)
}

var age = regexp.MustCompile(`\([0-9]+[0-9smhdy]*\)`)

// ageless returns the lines of a table without the ages, which differ from run to run, and without the padding, which
// depends on the ages.
func ageless(table string) (lines []string) {
	for line := range strings.Lines(age.ReplaceAllString(table, "")) {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	return lines
}

// shipped returns the names of the queries that come with the plugin.
func (w *world) shipped(t *testing.T) (names []string) {
	t.Helper()
	a := w.askAs(t, "/dev/null", "list").exits(0).quiet()
	for line := range strings.Lines(a.out) {
		name, _, _ := strings.Cut(strings.Fields(line)[0], ",")
		names = append(names, name)
	}
	names = names[1:] // skip the table's header
	if len(names) < 10 {
		t.Errorf("few names: %q", names)
	}
	return names
}
