//go:build unix

package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/meshq/kubectl-meshq/test/program"
)

// TestK9sPluginsRun runs the commands of the k9s plugins on the demo, as k9s runs
// them: it replaces the variables in the arguments. A kubectl of the test's own runs
// the plugin.
func TestK9sPluginsRun(t *testing.T) {
	page, err := os.ReadFile("docs/k9s.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindSubmatch(page)
	var file struct {
		Plugins map[string]struct {
			ShortCut, Description, Command string
			Scopes, Args                   []string
			Background                     bool
		}
	}
	if block == nil || yaml.UnmarshalStrict(block[1], &file) != nil {
		t.Fatalf("no plugins in %s", page)
	}
	dir := t.TempDir()
	kubectl := "#!/bin/sh\nshift\nexec " + program.Built(t) + " \"$@\" --snapshot demo\n"
	if err := os.WriteFile(filepath.Join(dir, "kubectl"), []byte(kubectl), 0o700); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"meshq-status": `reviews-v2-7d79d5bd5d-8zzqd\.default +STALE`, "meshq-describe": `Proxy +reviews-v2-7d79d5bd5d-8zzqd\.default`, "meshq-diff": `Pilot Clusters`,
		"meshq-trace": `GET http://ratings:9080/ from reviews-v2`, "meshq-callers": `ratings\.default:9080`,
	}
	keys := map[string]bool{}
	for name, p := range file.Plugins {
		if keys[p.ShortCut] || p.Command != "sh" || len(p.Args) != 2 || len(p.Scopes) != 1 || p.Description == "" || !strings.Contains(string(page), "| "+p.ShortCut+" |") {
			t.Errorf("%s: %+v", name, p)
		}
		keys[p.ShortCut] = true
		object := "reviews-v2-7d79d5bd5d-8zzqd"
		if p.Scopes[0] == "services" {
			object = "ratings"
		}
		line := strings.NewReplacer("$NAMESPACE", "default", "$NAME", object, "$CONTEXT", "bookinfo").Replace(p.Args[1])
		cmd := exec.Command("sh", "-c", line)
		cmd.Env = append(os.Environ(), "PATH="+dir+string(os.PathListSeparator)+os.Getenv("PATH"), "TERM=dumb")
		cmd.Stdin = strings.NewReader("http://ratings:9080/\n")
		out, err := cmd.CombinedOutput()
		text := regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(string(out), "")
		if err != nil || !regexp.MustCompile(want[name]).MatchString(text) {
			t.Errorf("%s: %s: %v\n%.600s", name, line, err, text)
		}
	}
	if len(file.Plugins) != len(want) {
		t.Errorf("%d plugins", len(file.Plugins))
	}
}
