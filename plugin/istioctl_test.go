package plugin

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/meshq/kubectl-meshq/plugin/demo"
	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// told runs a command line and returns its exit code and output.
func told(args ...string) (code int, out, stderr string) {
	var o, e bytes.Buffer
	code = Main(&process.World{Args: append([]string{"kubectl-meshq"}, args...), In: strings.NewReader(""), Out: &o, Err: &e, Now: time.Now})
	return code, o.String(), e.String()
}

// TestIstioctlFlags checks that command lines in istioctl's syntax have the same output
// as the corresponding command lines in the plugin's own syntax.
func TestIstioctlFlags(t *testing.T) {
	for _, c := range []struct{ theirs, ours string }{
		{"ps -v 1", "status"},
		{"ps --verbosity=1 -o table", "status"},
		{"ps -r default", "status --revision default"},
		{"ps --istioNamespace istio-system --kubeclient-timeout 20s", "status -i istio-system"},
		{"proxy-status deploy/reviews-v1.default", "diff reviews-v1"},
		{"ps reviews-v1 -o table -n default", "diff reviews-v1"},
		{"ps reviews-v2 -o json", "diff reviews-v2 -o json"},
		{"pc c reviews-v1 --direction INBOUND -o short", "clusters reviews-v1 --direction inbound"},
		{"pc l reviews-v1 --type http+tcp --verbose", "listeners reviews-v1 --type HTTP+TCP"},
		{"pc listener reviews-v1 --verbose=false", "listeners reviews-v1 --verbose=false"},
		{"pc r reviews-v1 --name 9080 --verbose=false", "routes reviews-v1 --name 9080 --verbose=false"},
		{"pc ep reviews-v1 --status healthy --address 10.244.0.13", "endpoints reviews-v1 --status HEALTHY --address 10.244.0.13"},
		{"pc a reviews-v1 --with-headers --direction inbound", "all reviews-v1 --direction inbound"},
		{"pc bootstrap reviews-v1 -o short", "versions reviews-v1"},
		{"zc certs", "secrets --of ztunnel"},
		{"zc all --with-headers --node worker", "ambient --node worker"},
	} {
		theirs, want := strings.Fields(c.theirs), strings.Fields(c.ours)
		gotCode, got, gotErr := told(append(theirs, "--snapshot", "demo")...)
		code, out, errs := told(append(want, "--snapshot", "demo")...)
		if gotCode != code || got != out || gotErr != errs || errs != "" {
			t.Errorf("%s: %d %s%s\n%s: %d %s%s", c.theirs, gotCode, got, gotErr, c.ours, code, out, errs)
		}
	}
}

// TestIstioctlSummaries checks that the summaries of --verbose=false contain the same
// listeners and routes as the full tables.
func TestIstioctlSummaries(t *testing.T) {
	rows := cellsOf(t, said(t, "listeners", "reviews-v1", "--verbose=false", "--snapshot", "demo"), []string{"ADDRESSES", "PORT", "TYPE"})
	long := cellsOf(t, said(t, "listeners", "reviews-v1", "--snapshot", "demo"), []string{"ADDRESSES", "PORT"})
	for i := range rows {
		rows[i] = rows[i][:2]
	}
	flat := func(all [][]string) (out []string) {
		for _, row := range all {
			out = append(out, strings.Join(row, ":"))
		}
		slices.Sort(out)
		return out
	}
	if diff := cmp.Diff(slices.Compact(flat(long)), slices.Compact(flat(rows))); diff != "" {
		t.Error(diff)
	}
	routes := cellsOf(t, said(t, "routes", "reviews-v1", "--verbose=false", "--snapshot", "demo"), []string{"NAME", "VIRTUAL HOSTS"})
	if i := slices.IndexFunc(routes, func(row []string) bool { return row[0] == "9080" }); i < 0 || routes[i][1] != "5" || len(routes) != 9 {
		t.Errorf("%q", routes)
	}
}

// TestIstioctlRefusals checks that a command line of istioctl that the plugin doesn't
// support is rejected with a message that says why.
func TestIstioctlRefusals(t *testing.T) {
	for words, want := range map[string]string{
		"ps --xds-address istiod:15012":             "--pilot http://HOST:15014",
		"ps --plaintext":                            "--pilot http://HOST:15014",
		"zc log --level info":                       "a recorded mesh can't be changed",
		"pc log reviews-v1 --level debug":           "a recorded mesh can't be changed",
		"log reviews-v1 -r --reset":                 "a recorded mesh can't be changed",
		"log --level debug --reset":                 "one of them",
		"log --level loud":                          `"loud" is none of trace, debug`,
		"log --level :debug":                        "which logger?",
		"diff --file - reviews-v1 --against -":      "can be read once only",
		"ps --file testdata/none.json reviews-v1":   "file does not exist",
		"pc ep reviews-v1 --status sick":            `"sick" is none of HEALTHY`,
		"pc c reviews-v1 --direction sideways -f x": `"sideways" is none of inbound`,
	} {
		if code, out, stderr := told(append(strings.Fields(words), "--snapshot", "demo")...); code != process.ExitUsage || out != "" || !strings.Contains(stderr, want) {
			t.Errorf("%s: exit code %d: %s%s", words, code, out, stderr)
		}
	}
}

// dumpOfReviews writes the config dump of one of the demo's proxies to a file.
func dumpOfReviews(t *testing.T) (path string) {
	t.Helper()
	from, err := transport.OpenBytes(t.Context(), "demo", demo.Archive, transport.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	path = filepath.Join(t.TempDir(), "dump.json")
	writeDump(t, from, theReviews, path)
	return path
}

// TestFileOfProxy compares the configuration that istiod would send to a proxy with a
// config dump in a file, of the same proxy and of another one.
func TestFileOfProxy(t *testing.T) {
	dump := dumpOfReviews(t)
	if code, out, stderr := told("ps", theReviews, "--file", dump, "--snapshot", "demo"); code != process.ExitOK || strings.Count(out, " Match\n") != 5 || stderr != "" {
		t.Errorf("exit code %d: %s%s", code, out, stderr)
	}
	if code, out, stderr := told("diff", "productpage-v1", "--file", dump, "--snapshot", "demo", "--sections", "clusters", "-o", "name"); code != process.ExitFound {
		t.Errorf("exit code %d: %s%s", code, out, stderr)
	}
	if code, _, stderr := told("diff", "--file", dump, "--snapshot", "demo"); code != process.ExitUsage || !strings.Contains(stderr, "it is what one proxy holds, and 7 proxies are compared") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	if code, _, stderr := told("diff", theReviews, "--file", "demo", "--snapshot", "demo"); code != process.ExitUsage || !strings.Contains(stderr, "a config dump is of one proxy, this is of 7") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

// TestClustersFile checks that -f reads a response of Envoy's /clusters, as with
// istioctl. The endpoints must be the same as those of the proxy in the mesh.
func TestClustersFile(t *testing.T) {
	from, err := transport.OpenBytes(t.Context(), "demo", demo.Archive, transport.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	file := filepath.Join(t.TempDir(), "clusters.json")
	writeAnswer(t, from, theReviews, "clusters", file)
	rows := func(words ...string) (out []string) {
		for _, row := range cellsOf(t, said(t, words...), []string{"ENDPOINT", "STATUS", "OUTLIER CHECK", "CLUSTER"}) {
			out = append(out, strings.Join(row, " | "))
		}
		return out
	}
	if diff := cmp.Diff(rows("pc", "ep", theReviews, "--snapshot", "demo"), rows("pc", "ep", "-f", file)); diff != "" {
		t.Error(diff)
	}
	if got := rows("pc", "ep", "-f", file, "--cluster", "outbound|9080|v1|details.default.svc.cluster.local"); len(got) != 1 {
		t.Errorf("%q", got)
	}
	if code, out, stderr := told("pc", "c", "-f", file); code != process.ExitPartial || out != "" || !strings.Contains(stderr, "config_dump: not in the snapshot") {
		t.Errorf("exit code %d: %s%s", code, out, stderr)
	}
}

// writeDump writes the config dump of a proxy to a file.
func writeDump(t *testing.T, from transport.Source, proxy, path string) {
	t.Helper()
	writeAnswer(t, from, proxy, "config_dump", path)
}

func writeAnswer(t *testing.T, from transport.Source, proxy, request, path string) {
	t.Helper()
	body, err := from.Fetch(t.Context(), proxy, request, mesh.Hint{})
	if err != nil {
		t.Fatal(err)
	}
	text := make([]byte, body.Size())
	if _, err := body.ReadAt(text, 0); err != nil && err != io.EOF {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}
