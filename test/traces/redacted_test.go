package traces

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/meshq/kubectl-meshq/test/program"
)

// redactionExceptions are the queries whose results differ on a snapshot, with the
// reasons. Their results contain free text, which a snapshot redacts.
var redactionExceptions = map[string]string{
	"rejected": "the message of an Envoy that refuses something may have any part of it in it",
	"sizes":    "redacted texts have other lengths",
}

// recordedDemo records a snapshot of a mesh with the given flags. It returns
// the file.
func recordedDemo(t *testing.T, mesh string, flags ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "mesh.tar.zst")
	_, errs, code := program.Run(t, append([]string{"--snapshot", mesh, "snapshot", file, "--desired"}, flags...)...)
	if code != 0 && code != 6 {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	return file
}

// TestRedactedAnswers checks that the checks and the shipped queries have the
// same results on a redacted snapshot as on the mesh.
func TestRedactedAnswers(t *testing.T) {
	queries, _ := filepath.Glob("query/shipped/*.jq")
	checks, _ := filepath.Glob("query/shipped/check/*.jq")
	if len(queries) < 10 || len(checks) < 10 {
		t.Fatal(queries, checks)
	}
	for _, mesh := range []string{"demo", "../shared/captures/ambient", "../shared/captures/stale"} {
		if _, err := os.Stat(mesh); err != nil && mesh != "demo" {
			continue
		}
		redacted := recordedDemo(t, mesh)
		for _, file := range slices.Concat(queries, checks) {
			name := strings.TrimSuffix(filepath.Base(file), ".jq")
			args := []string{name, "-o", "wide", "--allow-partial"}
			want, _, code := program.Run(t, append([]string{"--snapshot", mesh}, args...)...)
			got, errs, code2 := program.Run(t, append([]string{"--snapshot", redacted}, args...)...)
			if _, ok := redactionExceptions[name]; !ok && (got != want || code != code2) {
				t.Errorf("%s of %s: exit code %d, not %d: %s\n%s", name, mesh, code2, code, errs, cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")))
			}
		}
	}
}

// TestRedactedTraces checks that the recorded requests have the same traces on
// a redacted snapshot as on the mesh.
func TestRedactedTraces(t *testing.T) {
	cases := tracedCases[tracedCase](t)
	query := `. as $mesh | $cases[0][] | . as $c | $mesh | .proxy($c.proxy).trace($c.request) | {cluster, reason, status, to: .redirectTo}`
	trace := func(mesh string) []string {
		out, errs, code := program.Run(t, "--snapshot", mesh, "-c", "--slurpfile", "cases=testdata/traces.json", query)
		if code != 0 && code != 6 {
			t.Fatalf("exit code %d: %s", code, errs)
		}
		return strings.Split(strings.TrimSpace(out), "\n")
	}
	want, got := trace("demo"), trace(recordedDemo(t, "demo"))
	if len(got) != len(want) || len(want) != len(cases) {
		t.Fatalf("%d, %d", len(got), len(want))
	}
	for i := range want {
		if strings.Contains(string(cases[i].Request), "cookie") { // a route's condition on a cookie is replaced by a digest, so it can't be decided
			if !strings.Contains(got[i], `"reason":"UNKNOWN"`) {
				t.Errorf("%s: %s", cases[i].Request, got[i])
			}
			continue
		}
		if got[i] != want[i] {
			t.Errorf("%s %s\n got %s\nwant %s", cases[i].Proxy, cases[i].Request, got[i], want[i])
		}
	}
}
