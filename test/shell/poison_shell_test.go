//go:build unix

package shell

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/test/program"
)

// TestPoisonIsNotRunByBash and the tests below complete names from captures in
// which every name contains shell commands. They press TAB in every kind of
// quotes, and then Enter. No such command may run.
func TestPoisonIsNotRunByBash(t *testing.T) {
	checkNothingRuns(t, openTerminal(t, "bash", ".bashrc", "bash --rcfile HOME/.bashrc -i"))
}

func TestPoisonIsNotRunByZsh(t *testing.T) {
	checkNothingRuns(t, openTerminal(t, "zsh", ".zshrc", "zsh -i"))
}

func TestPoisonIsNotRunByBashWithKubectl(t *testing.T) {
	commands := strings.ReplaceAll(setUp["bash"], "source <(kubectl meshq completion bash)\n", "")
	checkNothingRuns(t, openTerminalAs(t, commands, "bash", ".bashrc", "bash --rcfile HOME/.bashrc -i"))
}

func checkNothingRuns(t *testing.T, s *terminal) {
	marks := t.TempDir()
	mark := filepath.Join(marks, "ran")
	script := filepath.Join(marks, "pwn")
	if err := os.WriteFile(script, []byte("#!/bin/sh\ntouch "+mark+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	// names with commands for the shell, and with a newline that would start a
	// command line
	printable := program.Poisoned(t, "$("+script+")`"+script+"`';"+script+";'\";"+script+";\"|"+script+" !!:p x\\y*?{a,b}~&"+script)
	control := program.Poisoned(t, "\n"+script+"\n#\x1b]0;OWNED\x07\x1b[2J")
	for _, dir := range []string{printable, control} {
		for i, line := range []string{
			"clusters --fqdn ratings.default", "endpoints --cluster 'outbound|9080||ratings", `clusters --fqdn "ratings.default`, "listeners --name ", "listeners --name '", "routes --name ",
			".proxies[].labels.", "'.proxies[].labels.", `".proxies[].labels.`, `'.proxies[0].labels["`, "'.proxies[].clusters[] | select(.name==\"outbound|9080||rat",
			"trace productpage-v1 http://rev", "-n ", "--namespace '", "describe ",
		} {
			if !*fullRun && i%5 != 0 {
				continue
			}
			name := []string{"kubectl meshq", "kubectl-meshq"}[i%2]
			s.clear()
			s.write(name + " --snapshot " + dir + " " + line)
			s.waitFor("ready> " + name) // otherwise the previous prompt could be mistaken for the next one
			for range 3 {
				s.press("Tab")
			}
			if quote := strings.IndexAny(line, `'"`); quote >= 0 {
				s.write(line[quote : quote+1])
			}
			s.press("Enter")
			s.waitForPrompt()
			if _, err := os.Stat(mark); err == nil {
				t.Errorf("%s %s: a command of the capture ran", name, line)
				_ = os.Remove(mark)
			}
			if title := s.tmux("display-message", "-p", "#{pane_title}"); strings.Contains(title, "OWNED") {
				t.Errorf("%s %s: the capture named the window", name, line)
			}
		}
	}
}

// waitForPrompt waits until the shell has read all typed text and shows its
// prompt. It needs to see the prompt alone on the screen twice, so that a
// partly drawn line isn't mistaken for it. It cancels a line that the shell
// considers incomplete.
func (s *terminal) waitForPrompt() {
	s.t.Helper()
	screen, seen := "", 0
	for end := time.Now().Add(shellTimeout); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		screen = strings.TrimSpace(s.tmux("capture-pane", "-p", "-J"))
		last := screen[strings.LastIndexByte(screen, '\n')+1:]
		if last != "ready>" {
			seen = 0
		}
		switch {
		case last == "ready>":
			if seen++; seen == 2 {
				return
			}
		case strings.HasSuffix(last, ">") && len(last) < 20: // a quote is open, so the shell waits for the rest
			s.press("C-c")
		}
	}
	s.t.Fatalf("no prompt:\n%s", screen)
}
