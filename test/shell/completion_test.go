//go:build unix

package shell

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/test/program"
)

// TestKubectlCompletion checks that the real kubectl completes the plugin's
// arguments. kubectl does so by running the plugin under the name
// kubectl_complete-meshq.
func TestKubectlCompletion(t *testing.T) {
	kubectl, err := exec.LookPath("kubectl")
	if err != nil {
		t.Skip("no kubectl on PATH")
	}
	dir := t.TempDir()
	for _, name := range []string{"kubectl-meshq", "kubectl_complete-meshq"} {
		if err := os.Symlink(program.Built(t), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		words []string
		want  []string
	}{
		{[]string{"--snapshot", "demo", ".proxies", "reviews-v2"}, []string{"reviews-v2-7d79d5bd5d-8zzqd.default", ":4"}},
		{[]string{"status", "--snapshot", "demo", "-n", "istio"}, []string{"istio-system", ":4"}},
		{[]string{"wait", "--snapshot", "demo", ".x", "pro"}, []string{"productpage-v1-6b746f74dc-9stvs.default", ":4"}},
		{[]string{"statu"}, []string{"status\thow each proxy stands to its Pilot, type by type", ":4"}},
		{[]string{"--sna"}, []string{"--snapshot", ":4"}},
		{[]string{"--snapshot", "demo", ".proxies[].loca"}, []string{".proxies[].locality\t{region, zone, subZone}", ":38"}},
		{[]string{"--snapshot", "demo", `.proxies[] | select(.rds=="STA`}, []string{`.proxies[] | select(.rds=="STALE"`, ":38"}},
		{[]string{"--snapshot", "demo", `.proxy("details`}, []string{`.proxy("details-v1")`, `.proxy("details-v1-6758dd9d8d-rcfnn.default")`, ":38"}},
	} {
		cmd := exec.Command(kubectl, append([]string{"__complete", "meshq"}, c.words...)...)
		cmd.Env = append(os.Environ(), "PATH="+dir+string(os.PathListSeparator)+os.Getenv("PATH"), "KUBECONFIG="+filepath.Join(dir, "none"))
		began := time.Now()
		out, err := cmd.Output()
		took := time.Since(began)
		got := strings.Split(strings.TrimSpace(string(out)), "\n")
		if len(got) > 0 && c.words[0] == "--sna" { // other tests cover the description, which comes from the help
			got[0], _, _ = strings.Cut(got[0], "\t")
		}
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%q: %v: %q, want %q", c.words, err, got, c.want)
		}
		t.Logf("%q: %s", c.words, took.Round(time.Millisecond))
	}
}
