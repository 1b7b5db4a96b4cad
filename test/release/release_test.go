//go:build unix

package release

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// TestReleasePublishesWhatDistBuilds checks that a release publishes exactly
// the files that make dist builds, and that everything the workflows run
// exists.
func TestReleasePublishesWhatDistBuilds(t *testing.T) {
	var config struct {
		Version int
		Release struct {
			ExtraFiles []struct{ Glob string } `json:"extra_files"`
		}
	}
	text, err := os.ReadFile(".goreleaser.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &config); err != nil || config.Version != 2 {
		t.Fatalf("%v: version %d", err, config.Version)
	}
	made := []string{"meshq.yaml", "checksums.txt", "checksums.txt.sigstore.json"}
	for _, p := range readManifest(t, "krew-manifest.yaml").Spec.Platforms {
		archive := p.URI[strings.LastIndexByte(p.URI, '/')+1:]
		made = append(made, archive, "kubectl-meshq-"+strings.ReplaceAll(p.String(), "/", "-")+".cdx.json", archive+".sigstore.json")
	}
	for _, arch := range []string{"amd64", "arm64"} {
		image := "kubectl-meshq-linux-" + arch + ".oci.tar"
		made = append(made, image, image+".sigstore.json")
	}
	for _, file := range made {
		found := false
		for _, e := range config.Release.ExtraFiles {
			ok, err := filepath.Match(e.Glob, filepath.Join("dist", file))
			found = found || err == nil && ok
		}
		if !found {
			t.Errorf("%s would not be published", file)
		}
	}
	workflows, err := filepath.Glob(".github/workflows/*.yaml")
	if err != nil || len(workflows) < 2 {
		t.Fatalf("%v: %q", err, workflows)
	}
	makes := regexp.MustCompile(`\bmake ([a-z0-9-]+)`)
	for _, file := range workflows {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var workflow map[string]any
		if err := yaml.Unmarshal(text, &workflow); err != nil || workflow["jobs"] == nil {
			t.Errorf("%s: %v", file, err)
		}
		for _, m := range makes.FindAllStringSubmatch(string(text), -1) {
			if said, err := exec.Command("make", "-n", m[1]).CombinedOutput(); err != nil {
				t.Errorf("%s: make %s: %v: %s", file, m[1], err, said)
			}
		}
	}
}

// TestActionsArePinned checks that workflows refer to every action by a commit,
// with its version beside it. A tag could be moved to other code.
func TestActionsArePinned(t *testing.T) {
	workflows, err := filepath.Glob(".github/workflows/*.yaml")
	if err != nil || len(workflows) < 2 {
		t.Fatalf("%v: %q", err, workflows)
	}
	uses := regexp.MustCompile(`(?m)^\s*(?:- )?uses:\s*(.*)$`)
	pinned := regexp.MustCompile(`^[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)
	commits := map[string]string{}
	for _, file := range workflows {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range uses.FindAllStringSubmatch(string(text), -1) {
			if strings.HasPrefix(m[1], "./") { // an action of this repository
				continue
			}
			if !pinned.MatchString(m[1]) {
				t.Errorf("%s: %s is not pinned by a commit", file, m[1])
			}
			name, commit, _ := strings.Cut(m[1], "@")
			if was, ok := commits[name]; ok && was != commit {
				t.Errorf("%s: %s is %s here and %s elsewhere", file, name, commit, was)
			}
			commits[name] = commit
		}
	}
	text, err := os.ReadFile(".github/workflows/release.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []string{"make audit", "needs: [test, audit]", "cosign sign-blob --yes --bundle", "id-token: write"} {
		if !strings.Contains(string(text), step) {
			t.Errorf("release.yaml has no %q", step)
		}
	}
}
