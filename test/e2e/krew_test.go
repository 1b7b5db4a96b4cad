package e2e_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/test/e2e/mesh"
)

// TestKrew builds the archive for this platform. A real krew installs it into an empty home folder, and a real kubectl
// runs the plugin from there.
func TestKrew(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("archives are made by GNU tar")
	}
	root, err := filepath.Abs("../..")
	must(t, err)
	krew, validate, err := mesh.FindKrew(t.Context(), filepath.Join(root, "test", "e2e"), t.Output())
	must(t, err)
	kubectl, err := exec.LookPath("kubectl")
	if err != nil {
		t.Skip("no kubectl on PATH")
	}
	out, home := filepath.Join(t.TempDir(), "dist"), t.TempDir()
	run := func(env []string, name string, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.Dir, cmd.Env = root, env
		cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
		said, err := cmd.CombinedOutput()
		if err != nil && context.Cause(t.Context()) == nil {
			t.Fatalf("%s %q: %v: %s", name, args, err, said)
		}
		return string(said)
	}
	run(append(os.Environ(), "OUT="+out, "PLATFORMS="+runtime.GOOS+"/"+runtime.GOARCH), "scripts/dist", "v0.1.0")
	manifest := filepath.Join(out, "meshq.yaml")
	run(os.Environ(), validate, "-skip-install", "-manifest", manifest)

	bin := filepath.Join(home, ".krew", "bin")
	env := []string{"HOME=" + home, "PATH=" + bin + ":" + filepath.Dir(kubectl) + ":/usr/bin:/bin", "KREW_NO_UPGRADE_CHECK=1"}
	said := run(env, krew, "install", "--manifest="+manifest, "--archive="+filepath.Join(out, "kubectl-meshq-"+runtime.GOOS+"-"+runtime.GOARCH+".tar.gz"))
	if !strings.Contains(said, "kubectl meshq completion install") {
		t.Errorf("krew doesn't say how completion is had: %s", said)
	}
	if said := run(env, kubectl, "meshq", "--snapshot", "demo", ".proxies | length"); said != "7\n" {
		t.Errorf("installed by krew it says %s", said)
	}
	if _, err := os.Stat(filepath.Join(home, ".krew", "store", "meshq", "v0.1.0", "LICENSE")); err != nil {
		t.Error(err)
	}
	run(env, kubectl, "meshq", "save", "mine", ".kind")
	if _, err := os.Stat(filepath.Join(home, ".config", "meshq", "library", "mine.jq")); err != nil {
		t.Error(err)
	}
	if said := run(env, kubectl, "meshq", "--snapshot", "demo", "mine"); said != "\"Mesh\"\n" {
		t.Errorf("a saved query, by kubectl: %s", said)
	}
}
