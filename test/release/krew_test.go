//go:build unix

package release

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/test/program"
	"sigs.k8s.io/yaml"
)

// manifest is the part of krew's Plugin type that has rules.
type manifest struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name string `json:"name"`
	} `json:"metadata"`
	Spec struct {
		Version          string         `json:"version"`
		Homepage         string         `json:"homepage"`
		ShortDescription string         `json:"shortDescription"`
		Description      string         `json:"description"`
		Caveats          string         `json:"caveats"`
		Platforms        []krewPlatform `json:"platforms"`
	} `json:"spec"`
}

type krewPlatform struct {
	Selector struct {
		MatchLabels map[string]string `json:"matchLabels"`
	} `json:"selector"`
	URI    string `json:"uri"`
	SHA256 string `json:"sha256"`
	Bin    string `json:"bin"`
}

func (p krewPlatform) String() string {
	return p.Selector.MatchLabels["os"] + "/" + p.Selector.MatchLabels["arch"]
}

func readManifest(t *testing.T, file string) (m manifest) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(text, &m); err != nil { // any field that is not declared is an error, in krew too
		t.Fatal(err)
	}
	return m
}

// krewRules are the rules of krew's validation and of its index. They are taken
// from internal/index/validation and cmd/validate-krew-manifest in krew.
var krewRules = []struct {
	rule string
	held func(m manifest) bool
}{
	{"it is of the API that krew reads", func(m manifest) bool {
		return m.APIVersion == "krew.googlecontainertools.github.com/v1alpha2" && m.Kind == "Plugin"
	}},
	{"the name is a file's", func(m manifest) bool { return regexp.MustCompile(`^[\w-]+$`).MatchString(m.Metadata.Name) }},
	{"the name is lower case and unabbreviated, without kube-", func(m manifest) bool {
		return m.Metadata.Name == strings.ToLower(m.Metadata.Name) && !strings.HasPrefix(m.Metadata.Name, "kube")
	}},
	{"the version is a semantic one with a v", func(m manifest) bool {
		return regexp.MustCompile(`^v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?$`).MatchString(m.Spec.Version)
	}},
	{"the short description is one short line that names Istio and Envoy", func(m manifest) bool {
		s := m.Spec.ShortDescription
		return s != "" && !strings.Contains(s, "\n") && len(s) <= 65 && strings.Contains(s, "Istio") && strings.Contains(s, "Envoy") && !strings.HasSuffix(s, ".")
	}},
	{"there is a description, in lines that a terminal holds", func(m manifest) bool {
		return m.Spec.Description != "" && !slices.ContainsFunc(strings.Split(m.Spec.Description, "\n"), func(l string) bool { return len(l) > 80 })
	}},
	{"the homepage is an address of a repository of the plugin's name", func(m manifest) bool {
		return strings.HasPrefix(m.Spec.Homepage, "https://") && strings.HasSuffix(m.Spec.Homepage, "/kubectl-"+m.Metadata.Name)
	}},
	{"caveats say how completion is had", func(m manifest) bool { return strings.Contains(m.Spec.Caveats, "kubectl meshq completion install") }},
	{"there are platforms", func(m manifest) bool { return len(m.Spec.Platforms) > 0 }},
	{"a selector selects by os and arch, of those that krew knows", func(m manifest) bool {
		known := map[string][]string{"windows": {"386", "amd64", "arm64"}, "linux": {"386", "amd64", "arm", "arm64", "ppc64le"}, "darwin": {"386", "amd64", "arm64"}}
		return !slices.ContainsFunc(m.Spec.Platforms, func(p krewPlatform) bool {
			labels := p.Selector.MatchLabels
			return len(labels) != 2 || !slices.Contains(known[labels["os"]], labels["arch"])
		})
	}},
	{"no two platforms select the same", func(m manifest) bool {
		seen := map[string]bool{}
		for _, p := range m.Spec.Platforms {
			seen[p.String()] = true
		}
		return len(seen) == len(m.Spec.Platforms)
	}},
	{"an archive is of a release of that version, .tar.gz or .zip", func(m manifest) bool {
		return !slices.ContainsFunc(m.Spec.Platforms, func(p krewPlatform) bool {
			ok, _ := path.Match("*.tar.gz", path.Base(p.URI))
			zip, _ := path.Match("*.zip", path.Base(p.URI))
			return !ok && !zip || !strings.HasPrefix(p.URI, m.Spec.Homepage+"/releases/download/"+m.Spec.Version+"/")
		})
	}},
	{"a checksum is 64 lower-case hexadecimal digits", func(m manifest) bool {
		return !slices.ContainsFunc(m.Spec.Platforms, func(p krewPlatform) bool { return !regexp.MustCompile(`^[a-f0-9]{64}$`).MatchString(p.SHA256) })
	}},
	{"one program, with .exe on Windows only", func(m manifest) bool {
		return !slices.ContainsFunc(m.Spec.Platforms, func(p krewPlatform) bool {
			return strings.HasSuffix(p.Bin, ".exe") != (p.Selector.MatchLabels["os"] == "windows") || strings.TrimSuffix(p.Bin, ".exe") != "kubectl-"+m.Metadata.Name
		})
	}},
}

// TestManifestFollowsKrewsRules checks the manifest against krew's rules. It
// also breaks each rule once, to find rules that never fail.
func TestManifestFollowsKrewsRules(t *testing.T) {
	m := readManifest(t, "krew-manifest.yaml")
	for _, r := range krewRules {
		if !r.held(m) {
			t.Errorf("it isn't so that %s", r.rule)
		}
	}
	var all []string
	for _, p := range m.Spec.Platforms {
		all = append(all, p.String())
	}
	if want := []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64", "windows/amd64", "windows/arm64"}; !slices.Equal(all, want) {
		t.Errorf("platforms %q, want %q", all, want)
	}
	broken := []func(*manifest){
		func(m *manifest) { m.Kind = "Plugins" },
		func(m *manifest) { m.Metadata.Name = "me.shq" },
		func(m *manifest) { m.Metadata.Name = "Meshq" },
		func(m *manifest) { m.Spec.Version = "0.1.0" },
		func(m *manifest) { m.Spec.ShortDescription += "\n" },
		func(m *manifest) { m.Spec.Description = "" },
		func(m *manifest) { m.Spec.Homepage += "s" },
		func(m *manifest) { m.Spec.Caveats = "" },
		func(m *manifest) { m.Spec.Platforms = nil },
		func(m *manifest) { m.Spec.Platforms[0].Selector.MatchLabels["arch"] = "riscv64" },
		func(m *manifest) { m.Spec.Platforms[0].Selector.MatchLabels["arch"] = "arm64" },
		func(m *manifest) { m.Spec.Platforms[0].URI = strings.TrimSuffix(m.Spec.Platforms[0].URI, ".gz") },
		func(m *manifest) { m.Spec.Platforms[0].SHA256 = strings.Repeat("A", 64) },
		func(m *manifest) { m.Spec.Platforms[0].Bin = "meshq" },
	}
	if len(broken) != len(krewRules) {
		t.Fatalf("%d rules are broken, of %d", len(broken), len(krewRules))
	}
	for i, breakRule := range broken {
		m := readManifest(t, "krew-manifest.yaml")
		breakRule(&m)
		if krewRules[i].held(m) {
			t.Errorf("%q holds where it is broken", krewRules[i].rule)
		}
	}
}

// TestArchiveInstallsAsKrewDoes builds the archive for this platform as a
// release does. It installs the archive into an empty home directory as krew
// does, and runs the plugin there through kubectl.
func TestArchiveInstallsAsKrewDoes(t *testing.T) {
	here := runtime.GOOS + "/" + runtime.GOARCH
	for _, tool := range []string{"bash", "tar", "gzip", "sha256sum", "jq"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip("no " + tool + " on PATH")
		}
	}
	if runtime.GOOS != "linux" {
		t.Skip("archives are made by GNU tar")
	}
	out := filepath.Join(t.TempDir(), "dist")
	epoch := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	dist := exec.Command("scripts/dist", "v0.1.0")
	dist.Env = append(os.Environ(), "OUT="+out, "PLATFORMS="+here, fmt.Sprint("SOURCE_DATE_EPOCH=", epoch.Unix()))
	if said, err := dist.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}

	m := readManifest(t, filepath.Join(out, "meshq.yaml"))
	for _, r := range krewRules {
		if !r.held(m) {
			t.Errorf("meshq.yaml: it isn't so that %s", r.rule)
		}
	}
	if m.Spec.Version != "v0.1.0" || len(m.Spec.Platforms) != 1 || m.Spec.Platforms[0].String() != here {
		t.Fatalf("meshq.yaml is of %s, for %v", m.Spec.Version, m.Spec.Platforms)
	}
	platform := m.Spec.Platforms[0]
	archive := filepath.Join(out, path.Base(platform.URI))
	text, err := os.ReadFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != platform.SHA256 {
		t.Errorf("the checksum of %s is %x", archive, sum)
	}
	files := 3
	if runtime.GOOS == "linux" {
		files++ // the container image
	}
	sums, err := os.ReadFile(filepath.Join(out, "checksums.txt"))
	if err != nil || !strings.Contains(string(sums), platform.SHA256+"  "+filepath.Base(archive)) || strings.Count(string(sums), "\n") != files {
		t.Errorf("%v: checksums.txt: %s", err, sums)
	}

	home := t.TempDir()
	store := filepath.Join(home, ".krew", "store", m.Metadata.Name, m.Spec.Version)
	names := untar(t, archive, store, epoch)
	for _, name := range []string{"LICENSE", "man/kubectl-meshq.1.gz", "man/kubectl-meshq-language.7.gz", platform.Bin} {
		if !slices.Contains(names, name) {
			t.Errorf("no %s in %q", name, names)
		}
	}
	if !slices.IsSorted(names) {
		t.Errorf("%q: another order another time", names)
	}
	checkSameBytes(t, filepath.Join(store, platform.Bin), program.Built(t))

	kubectl, err := exec.LookPath("kubectl")
	if err != nil {
		t.Skip("no kubectl on PATH")
	}
	bin := filepath.Join(home, ".krew", "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(store, platform.Bin), filepath.Join(bin, platform.Bin)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(kubectl, "meshq", "--snapshot", "demo", ".proxies | length")
	cmd.Env = []string{"HOME=" + home, "PATH=" + bin}
	if said, err := cmd.CombinedOutput(); err != nil || string(said) != "7\n" {
		t.Errorf("%v: %s", err, said)
	}
	cmd = exec.Command(kubectl, "plugin", "list")
	cmd.Env = []string{"HOME=" + home, "PATH=" + bin}
	if said, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(said), "kubectl-meshq") {
		t.Errorf("%v: %s", err, said)
	}
}

// untar unpacks an archive. It checks that the archive contains nothing about
// the user who built it.
func untar(t *testing.T, archive, folder string, epoch time.Time) (names []string) {
	t.Helper()
	f, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	if !z.ModTime.IsZero() || z.Name != "" {
		t.Errorf("gzip says %q of %s", z.Name, z.ModTime)
	}
	for all := tar.NewReader(z); ; {
		h, err := all.Next()
		if errors.Is(err, io.EOF) {
			return names
		}
		if err != nil {
			t.Fatal(err)
		}
		if !h.ModTime.Equal(epoch) || h.Uid != 0 || h.Gid != 0 || h.Uname != "" || h.Typeflag != tar.TypeReg || !filepath.IsLocal(h.Name) {
			t.Errorf("%s: %s, %d:%d %q, type %c", h.Name, h.ModTime, h.Uid, h.Gid, h.Uname, h.Typeflag)
		}
		names = append(names, h.Name)
		file := filepath.Join(folder, h.Name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(all)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, text, h.FileInfo().Mode().Perm()); err != nil {
			t.Fatal(err)
		}
	}
}

// checkSameBytes checks that two files, which were built separately, have the
// same bytes.
func checkSameBytes(t *testing.T, a, b string) {
	t.Helper()
	var sums [2][32]byte
	for i, file := range []string{a, b} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		sums[i] = sha256.Sum256(text)
	}
	if sums[0] != sums[1] {
		t.Errorf("%s and %s are of one source, and not the same", a, b)
	}
}
