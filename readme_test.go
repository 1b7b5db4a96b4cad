//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReadme runs every command of the README's console blocks, and of the
// cookbook's, and holds what it prints against what is written there; -update
// rewrites the files.
func TestReadme(t *testing.T) {
	for file, least := range map[string]int{"README.md": 25, "docs/cookbook.md": 30} {
		t.Run(file, func(t *testing.T) { console(t, file, least) })
	}
}

func console(t *testing.T, file string, least int) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	ran := 0
	inBlock := false
	home := t.TempDir()
	for line := range strings.Lines(string(text)) {
		switch {
		case strings.TrimSpace(line) == "```console": // "console live" is for the end-to-end tests
			inBlock = true
		case strings.HasPrefix(line, "```"):
			inBlock = false
		case inBlock && strings.HasPrefix(line, "$ kubectl meshq"):
			ran++
			fmt.Fprint(&out, line, typed(t, home, strings.TrimPrefix(strings.TrimSpace(line), "$ ")))
			continue
		case inBlock && !strings.HasPrefix(line, "$ "):
			continue // what was printed: written anew
		}
		out.WriteString(line)
	}
	if ran < least {
		t.Errorf("only %d commands were run", ran)
	}
	if diff := cmp.Diff(string(text), out.String()); diff != "" {
		if *update {
			if err := os.WriteFile(file, []byte(out.String()), 0o644); err != nil {
				t.Fatal(err)
			}
			return
		}
		t.Errorf("%s says otherwise (-written +meshq; make golden rewrites it):\n%s", file, diff)
	}
}

// typed is what a line prints that somebody types. One that needs a shell, for
// a pipe or a file that it leaves, is given to one, with a home of its own.
func typed(t *testing.T, home, line string) string {
	t.Helper()
	args := words(strings.TrimPrefix(line, "kubectl meshq"))
	shell := slices.ContainsFunc([]string{"|", "<", ">", "2>/dev/null"}, func(s string) bool { return slices.Contains(args, s) })
	if !shell && !strings.Contains(line, "/tmp/") && !slices.ContainsFunc(kept, func(s string) bool { return slices.Contains(args, s) }) {
		return transcript(t, args)
	}
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash on PATH")
	}
	cmd := exec.Command(bash, "-c", `kubectl() { shift; kubectl-meshq "$@"; }; cd "$HOME"; `+strings.ReplaceAll(line, "/tmp/", "$HOME/"))
	cmd.Env = append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME=", "LC_ALL=C", "PATH="+filepath.Dir(built(t))+string(os.PathListSeparator)+os.Getenv("PATH"))
	said, err := cmd.CombinedOutput()
	s := strings.ReplaceAll(string(said), home, "~")
	if err != nil {
		s += fmt.Sprintf("(exit code %d)\n", cmd.ProcessState.ExitCode())
	}
	return s
}

// kept are the words of commands that leave something behind, or find it: the
// last is a query that the README saves.
var kept = []string{"save", "list", "remove", "stale-in"}
