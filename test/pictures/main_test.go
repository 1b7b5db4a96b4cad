// Package pictures tests what is drawn: graphs, sequence diagrams and the report.
// Other programs are the judges: Graphviz, Mermaid and Chromium. A test is
// skipped where its program is not installed; .ci/run installs them.
package pictures

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/test/program"
)

func TestMain(m *testing.M) { os.Exit(program.AtRoot(m)) }

// nodeModules is where .ci/run installs the packages of npm.
const nodeModules = ".ci/node"

// node runs a script in Node.js with a package of npm, and passes it a text on
// standard input. Without Node.js or the package, it skips the test.
func node(t *testing.T, module, script, input string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("no node on PATH")
	}
	if _, err := os.Stat(filepath.Join(nodeModules, "node_modules", module)); err != nil {
		t.Skipf("no package %s of npm in %s", module, nodeModules)
	}
	path := filepath.Join(nodeModules, strings.ReplaceAll(t.Name(), "/", "-")+".mjs") // a script finds packages in the folders above it
	if err := os.WriteFile(path, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(path)
	cmd := exec.Command("node", append([]string{path}, args...)...)
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

// snapshots are the recorded meshes. The shared ones are missing outside of the
// team's machines.
func snapshots() []string {
	all := []string{"demo", "testdata/ambient"}
	for _, name := range []string{"ambient", "bookinfo", "stale"} {
		if dir := filepath.Join("../shared/captures", name); exists(dir) {
			all = append(all, dir)
		}
	}
	return all
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
