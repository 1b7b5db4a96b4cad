package e2e_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/meshq/kubectl-meshq/test/e2e/mesh"
	"github.com/meshq/kubectl-meshq/test/e2e/oracle"
)

var (
	seed      = flag.Uint64("seed", 0, "of the random configurations; 0: a fixed one, then one that is printed")
	routings  = flag.Int("routings", 200, "how many random route configurations Envoy is asked about, a seed")
	only      = flag.String("envoy", "", "the version of Envoy to hold against; empty: each of mesh.Envoys")
	guards    = flag.Int("guards", 900, "how many random RBAC policies Envoy is asked about, a seed")
	listeners = flag.Int("listeners", 80, "how many random listeners Envoy is asked about, a seed; it refuses some")
)

// fixedSeed is a seed that every run tries.
const fixedSeed = 20260311

// seeds returns the seeds to try: the one given by a flag, or else a fixed and a random one.
func seeds(t *testing.T) []uint64 {
	if *seed != 0 {
		return []uint64{*seed}
	}
	all := []uint64{fixedSeed, rand.Uint64()>>16 | 1}
	t.Logf("seeds: %d", all)
	return all
}

// A comparer is the plugin under test and the Envoy that it is compared with.
type comparer struct {
	plugin, envoy string
	version       string // Envoy's version
	dir           string
	identity      *oracle.Identity
}

// newComparer builds the plugin, unless a flag names one.
func newComparer(t *testing.T) *comparer {
	t.Helper()
	plugin := *built
	if plugin == "" {
		plugin = filepath.Join(t.TempDir(), "kubectl-meshq")
		must(t, buildPlugin(t.Context(), "../..", plugin))
	}
	return comparerOf(t, plugin)
}

func comparerOf(t *testing.T, plugin string) *comparer {
	t.Helper()
	j := &comparer{dir: t.TempDir(), plugin: plugin}
	var err error
	j.use(t, mesh.Envoys()[len(mesh.Envoys())-1])
	j.identity, err = oracle.NewIdentity()
	must(t, err)
	return j
}

// use selects the version of Envoy that the plugin is compared with.
func (j *comparer) use(t *testing.T, version string) {
	t.Helper()
	var err error
	j.version = version
	j.envoy, err = mesh.FindEnvoy(t.Context(), ".", version, t.Output())
	must(t, err)
}

// eachEnvoy runs a test with each version of Envoy.
func (j *comparer) eachEnvoy(t *testing.T, test func(*testing.T)) {
	versions := mesh.Envoys()
	if *only != "" {
		versions = []string{*only}
	}
	for _, v := range versions {
		j.use(t, v)
		t.Run(v, test)
	}
}

// isNewest reports whether Envoy knows every field of the random configurations.
func (j *comparer) isNewest() bool { return j.version == mesh.Envoys()[len(mesh.Envoys())-1] }

// ask runs a query on a snapshot, with the cases in $cases. It returns the lines of the output, one value per line.
// Missing parts of the snapshot, such as pods, are no error.
func (j *comparer) ask(t *testing.T, snapshot string, cases any, query string) [][]byte {
	t.Helper()
	path := filepath.Join(j.dir, "cases.json")
	b, err := json.Marshal(cases)
	must(t, err)
	must(t, os.WriteFile(path, b, 0o600))
	cmd := exec.CommandContext(t.Context(), j.plugin, "--snapshot", snapshot, "--allow-partial", "-c", "--slurpfile", "cases="+path, query)
	cmd.Env = []string{"HOME=" + j.dir, "PATH=" + os.Getenv("PATH")}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", query, err, errs.Bytes())
	}
	return bytes.Split(bytes.TrimSpace(out.Bytes()), []byte("\n"))
}

// keep writes a file into the test's folder and returns its path.
func (j *comparer) keep(t *testing.T, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(j.dir, name)
	keep(t, path, b)
	return path
}

func keep(t *testing.T, path string, b []byte) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(path), 0o700))
	must(t, os.WriteFile(path, b, 0o600))
}

// text encodes a value as one line of JSON.
func text(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	return string(bytes.TrimSpace(b.Bytes()))
}
