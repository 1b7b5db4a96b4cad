package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/test/e2e/mesh"
)

// A foreseer runs the command whatif on recorded meshes.
type foreseer struct {
	plugin, istiod, temp string
	change               string // a change that changes nothing
}

func newForeseer(t *testing.T) *foreseer {
	t.Helper()
	root, err := filepath.Abs(".")
	must(t, err)
	programs, err := mesh.FindPrograms(t.Context(), root, t.Output())
	must(t, err)
	dir := t.TempDir()
	f := &foreseer{plugin: filepath.Join(dir, "kubectl-meshq"), istiod: filepath.Join(dir, "pilot-discovery"), temp: filepath.Join(dir, "tmp"), change: filepath.Join(dir, "change.yaml")}
	must(t, os.Mkdir(f.temp, 0o700))
	must(t, os.Symlink(programs.Istiod, f.istiod)) // a path of its own, by which its processes are found
	must(t, buildPlugin(t.Context(), filepath.Join(root, "../.."), f.plugin))
	must(t, os.WriteFile(f.change, []byte(`{"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":"none","namespace":"none"},"spec":{"hosts":["none.example.com"],"http":[{"directResponse":{"status":200}}]}}`), 0o600))
	return f
}

// command returns a run over a snapshot, under other programs if there are any.
func (f *foreseer) command(ctx context.Context, snapshot string, ambient bool, under ...string) *exec.Cmd {
	words := append(under, f.plugin, "whatif", "-f", f.change, "--snapshot", snapshot, "--istiod", f.istiod, "-o", "json",
		"--env", "PILOT_ENABLE_METADATA_EXCHANGE=false", "--env", "PILOT_ENABLE_ALPN_FILTER=false", "--env", fmt.Sprintf("PILOT_ENABLE_AMBIENT=%v", ambient))
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Env = []string{"PATH=/usr/bin:/bin:/usr/sbin:/sbin", "HOME=" + f.temp, "TMPDIR=" + f.temp}
	return cmd
}

// A gate is what the answer says of the baseline.
type gate struct {
	Baseline struct {
		Proxies, Verified int
		Different         []struct{ Proxy, Section string }
		Unknown           []string
	}
}

// TestWhatIfBaselines makes the baseline of each recorded mesh ten times. Each time, it is what the mesh's own istiod said
// that it would send, to every sidecar and gateway. The waypoint of the ambient mesh is not compared: its istiod ran with
// settings that were not recorded.
func TestWhatIfBaselines(t *testing.T) {
	f := newForeseer(t)
	captures := "../../../shared/captures"
	if _, err := os.Stat(captures); err != nil {
		t.Skipf("the recorded meshes are not here: %v", err)
	}
	for _, c := range []struct {
		name     string
		ambient  bool
		verified int
	}{{"bookinfo", false, 7}, {"stale", false, 7}, {"ambient", true, 3}} {
		t.Run(c.name, func(t *testing.T) {
			for n := range 10 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				out, err := f.command(ctx, filepath.Join(captures, c.name), c.ambient).Output()
				cancel()
				var g gate
				if e := json.Unmarshal(out, &g); e != nil {
					t.Fatalf("%v, %v: %s", err, e, out)
				}
				if g.Baseline.Verified != c.verified {
					t.Errorf("run %d: %d of %d proxies are verified", n, g.Baseline.Verified, g.Baseline.Proxies)
				}
				for _, d := range g.Baseline.Different {
					if !strings.HasPrefix(d.Proxy, "waypoint-") {
						t.Errorf("run %d: %s: %s differ", n, d.Proxy, d.Section)
					}
				}
			}
		})
	}
}

// processes returns the ids of the processes that run the istiod of f.
func (f *foreseer) processes(t *testing.T) (ids []string) {
	t.Helper()
	found, err := filepath.Glob("/proc/[0-9]*/cmdline")
	must(t, err)
	for _, path := range found {
		text, err := os.ReadFile(path)
		if err == nil && strings.HasPrefix(string(text), f.istiod+"\x00") {
			ids = append(ids, filepath.Base(filepath.Dir(path)))
		}
	}
	return ids
}

// TestWhatIfKilled kills the plugin at 50 random moments. Its istiods then end too, and no file of it is left.
func TestWhatIfKilled(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("processes are looked up in /proc")
	}
	f := newForeseer(t)
	running := 0
	for n := range 50 {
		cmd := f.command(t.Context(), "demo", false)
		must(t, cmd.Start())
		time.Sleep(time.Duration(rand.IntN(1500)) * time.Millisecond)
		running += len(f.processes(t))
		must(t, cmd.Process.Kill())
		cmd.Wait()
		deadline := time.Now().Add(20 * time.Second)
		for len(f.processes(t)) > 0 {
			if time.Now().After(deadline) {
				t.Fatalf("run %d: %v are still running", n, f.processes(t))
			}
			time.Sleep(10 * time.Millisecond)
		}
		left, err := os.ReadDir(f.temp)
		must(t, err)
		if len(left) > 0 {
			t.Fatalf("run %d: left %v", n, left)
		}
	}
	if running < 20 {
		t.Errorf("only %d istiods were running when the plugin was killed", running)
	}
}

// TestWhatIfOnLoopback makes a prediction in a network namespace that has nothing but loopback.
func TestWhatIfOnLoopback(t *testing.T) {
	if err := exec.Command("unshare", "-rn", "true").Run(); err != nil {
		t.Skipf("no network namespace can be made here: %v", err)
	}
	f := newForeseer(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := f.command(ctx, "demo", false, "unshare", "-rn", "sh", "-c", `ip link set lo up && exec "$@"`, "sh").CombinedOutput()
	if strings.Contains(string(out), "ip: not found") {
		t.Skip("ip is not installed")
	}
	if err != nil || !strings.Contains(string(out), `"verified": true`) {
		t.Errorf("%v: %s", err, clip(string(out)))
	}
}
