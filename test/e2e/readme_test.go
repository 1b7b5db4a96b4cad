package e2e_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// readme runs the README's examples for a live mesh in a shell and compares their output with the README's.
func readme(t *testing.T, w *world) {
	text, err := os.ReadFile("../../README.md")
	must(t, err)
	inBlock, ran := false, 0
	var command, want string
	check := func() {
		if command != "" {
			ran++
			if diff := cmp.Diff(want, w.shell(t, command)); diff != "" {
				t.Errorf("%s (-README +meshq):\n%s", command, diff)
			}
		}
		command, want = "", ""
	}
	for line := range strings.Lines(string(text)) {
		next, isCommand := strings.CutPrefix(line, "$ ")
		switch {
		case strings.TrimSpace(line) == "```console live":
			inBlock = true
		case strings.HasPrefix(line, "```"):
			check()
			inBlock = false
		case inBlock && isCommand:
			check()
			command = strings.TrimSpace(next)
		case inBlock:
			want += line
		}
	}
	if ran == 0 {
		t.Error("the README has no example of a live mesh")
	}
}

// shell runs a command line and returns its stdout followed by its stderr.
func (w *world) shell(t *testing.T, line string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-c", line)
	cmd.Env = []string{"PATH=" + w.path + ":" + filepath.Dir(w.kubectl) + ":/usr/bin:/bin", "HOME=" + w.folder(t), "KUBECONFIG=" + w.least}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Errorf("%s: %v", line, err)
	}
	return out.String() + errs.String()
}
