//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// TestRelease holds that what a release publishes is what make dist makes, and
// that what the workflows run is there.
func TestRelease(t *testing.T) {
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
	made := []string{"meshq.yaml", "checksums.txt"}
	for _, p := range readManifest(t, "krew-manifest.yaml").Spec.Platforms {
		archive := p.URI[strings.LastIndexByte(p.URI, '/')+1:]
		made = append(made, archive, "kubectl-meshq-"+strings.ReplaceAll(p.String(), "/", "-")+".cdx.json")
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
	makes := regexp.MustCompile(`\bmake ([a-z0-9]+)`)
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
