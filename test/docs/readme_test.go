//go:build unix

package docs

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/meshq/kubectl-meshq/test/program"
)

// TestReadme runs every command in the console blocks of the README and the
// cookbook, and compares its output with the block's. With -update it rewrites
// the files.
func TestReadme(t *testing.T) {
	for file, least := range map[string]int{"README.md": 25, "docs/cookbook.md": 30, "docs/sql.md": 1} {
		t.Run(file, func(t *testing.T) { checkConsole(t, file, least) })
	}
}

func checkConsole(t *testing.T, file string, least int) {
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
		case strings.TrimSpace(line) == "```console": // the end-to-end tests run blocks of "console live"
			inBlock = true
		case strings.HasPrefix(line, "```"):
			inBlock = false
		case inBlock && strings.HasPrefix(line, "$ kubectl meshq"):
			ran++
			fmt.Fprint(&out, line, runLine(t, home, strings.TrimPrefix(strings.TrimSpace(line), "$ ")))
			continue
		case inBlock && !strings.HasPrefix(line, "$ "):
			continue // old output, which is replaced
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

// runLine returns the output of a command line. A line that needs a shell,
// because of a pipe or a file, runs in one with a home directory of its own.
func runLine(t *testing.T, home, line string) string {
	t.Helper()
	args := program.Words(strings.TrimPrefix(line, "kubectl meshq"))
	shell := slices.ContainsFunc([]string{"|", "<", ">", "2>/dev/null"}, func(s string) bool { return slices.Contains(args, s) })
	if !shell && !strings.Contains(line, "/tmp/") && !slices.ContainsFunc(savedQueryWords, func(s string) bool { return slices.Contains(args, s) }) {
		return program.Transcript(t, args)
	}
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash on PATH")
	}
	cmd := exec.Command(bash, "-c", `kubectl() { shift; kubectl-meshq "$@"; }; cd "$HOME"; `+strings.ReplaceAll(line, "/tmp/", "$HOME/"))
	cmd.Env = append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME=", "LC_ALL=C", "PATH="+filepath.Dir(program.Built(t))+string(os.PathListSeparator)+os.Getenv("PATH"))
	said, err := cmd.CombinedOutput()
	s := strings.ReplaceAll(string(said), home, "~")
	if err != nil {
		s += fmt.Sprintf("(exit code %d)\n", cmd.ProcessState.ExitCode())
	}
	return s
}

// savedQueryWords are the arguments of commands that write or read saved
// queries. The last is the name of a query that the README saves.
var savedQueryWords = []string{"save", "list", "remove", "stale-in"}
