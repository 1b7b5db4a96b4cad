package e2e_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/test/e2e/mesh"
)

// A world is a mesh together with kubectl and the plugin.
type world struct {
	*mesh.Mesh
	kubectl string
	istiod  string // path of istiod's binary
	path    string // of the plugin's folder, in which kubectl finds it
	least   string // kubeconfig of the account with the fewest rights
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return startWorld(t, mesh.Options{})
}

// startWorld starts the mesh that the options describe.
func startWorld(t *testing.T, o mesh.Options) *world {
	t.Helper()
	root, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	programs, err := mesh.FindPrograms(t.Context(), root, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	o.Programs, o.Log = programs, t.Output()
	w := &world{kubectl: programs.Kubectl, istiod: programs.Istiod}
	if w.Mesh, err = mesh.Up(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	downInTheEnd(t, w.Mesh)
	w.path = w.installPlugin(t, filepath.Join(root, "../.."))
	w.least = w.account(t, "meshq", "kubectl-meshq")
	return w
}

var built = flag.String("plugin", "", "test this kubectl-meshq instead of building one")

// installPlugin puts the plugin into a folder for kubectl's PATH, also under the name that kubectl's completion uses.
func (w *world) installPlugin(t *testing.T, root string) string {
	dir := w.folder(t)
	path := filepath.Join(dir, "kubectl-meshq")
	if *built != "" {
		must(t, os.Symlink(*built, path))
	} else {
		must(t, buildPlugin(t.Context(), root, path))
	}
	must(t, os.Symlink(path, filepath.Join(dir, "kubectl_complete-meshq")))
	return dir
}

func buildPlugin(ctx context.Context, root, path string) error {
	build := exec.CommandContext(ctx, "go", "build", "-o", path, ".")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("the plugin does not build: %w\n%s", err, out)
	}
	return nil
}

// folder creates a folder that is removed with the mesh, also on Ctrl-C.
func (w *world) folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp(w.Dir, "test.")
	must(t, err)
	return dir
}

// downInTheEnd stops the mesh after the tests and on Ctrl-C. It keeps the logs if a test failed.
func downInTheEnd(t *testing.T, m *mesh.Mesh) {
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt, syscall.SIGTERM)
	go func() {
		if _, ok := <-interrupts; ok {
			m.Down()
			time.Sleep(100 * time.Millisecond) // the running scenario may have created its folder again
			m.Down()
			os.Exit(130)
		}
	}()
	t.Cleanup(func() {
		signal.Stop(interrupts)
		close(interrupts)
		if t.Failed() {
			logs, err := m.KeepLogs()
			t.Logf("logs: %s (%v)", logs, err)
		}
		if err := m.Down(); err != nil {
			t.Error(err)
		}
	})
}

// account returns the kubeconfig of an account with roles from docs/rbac.
func (w *world) account(t *testing.T, name string, roles ...string) string {
	t.Helper()
	var text []string
	for _, r := range roles {
		b, err := os.ReadFile(filepath.Join("../../docs/rbac", r+".yaml"))
		must(t, err)
		text = append(text, string(b))
	}
	path, err := w.Account(t.Context(), name, text...)
	must(t, err)
	return path
}

func (w *world) repair(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := w.Repair(ctx); err != nil {
		t.Fatalf("the mesh can't be repaired: %v", err)
	}
}

func (w *world) proxy(t *testing.T, workload string) *mesh.Proxy {
	t.Helper()
	p, err := w.Find(workload)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// must ends the test if err is not nil.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
