//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestPoisonStaysOutOfBash and of zsh press TAB over captures whose names want
// to run commands, in every kind of quote, and Enter behind what is put in.
func TestPoisonStaysOutOfBash(t *testing.T) {
	harmless(t, openTerminal(t, "bash", ".bashrc", "bash --rcfile HOME/.bashrc -i"))
}

func TestPoisonStaysOutOfZsh(t *testing.T) {
	harmless(t, openTerminal(t, "zsh", ".zshrc", "zsh -i"))
}

func TestPoisonStaysOutOfKubectlsBash(t *testing.T) {
	commands := strings.ReplaceAll(setUp["bash"], "source <(kubectl meshq completion bash)\n", "")
	harmless(t, openTerminalAs(t, commands, "bash", ".bashrc", "bash --rcfile HOME/.bashrc -i"))
}

func harmless(t *testing.T, s *terminal) {
	marks := t.TempDir()
	mark := filepath.Join(marks, "ran")
	script := filepath.Join(marks, "pwn")
	if err := os.WriteFile(script, []byte("#!/bin/sh\ntouch "+mark+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	// What a shell would run, and what it would run if it were a line of its own.
	printable := poisoned(t, "$("+script+")`"+script+"`';"+script+";'\";"+script+";\"|"+script+" !!:p x\\y*?{a,b}~&"+script)
	control := poisoned(t, "\n"+script+"\n#\x1b]0;OWNED\x07\x1b[2J")
	for _, dir := range []string{printable, control} {
		for i, line := range []string{
			"clusters --fqdn ratings.default", "endpoints --cluster 'outbound|9080||ratings", `clusters --fqdn "ratings.default`, "listeners --name ", "listeners --name '", "routes --name ",
			".proxies[].labels.", "'.proxies[].labels.", `".proxies[].labels.`, `'.proxies[0].labels["`, "'.proxies[].clusters[] | select(.name==\"outbound|9080||rat",
			"trace productpage-v1 http://rev", "-n ", "--namespace '", "describe ",
		} {
			if !*full && i%5 != 0 {
				continue
			}
			name := []string{"kubectl meshq", "kubectl-meshq"}[i%2]
			s.clear()
			s.write(name + " --snapshot " + dir + " " + line)
			s.see("ready> " + name) // else the prompt before it passes for the one behind it
			for range 3 {
				s.press("Tab")
			}
			if quote := strings.IndexAny(line, `'"`); quote >= 0 {
				s.write(line[quote : quote+1])
			}
			s.press("Enter")
			s.prompted()
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

// prompted waits until the shell has read all that was typed, and asks for
// another line: it shows nothing but its prompt twice, so that no half drawn
// line is taken for it. What the shell takes for the beginning of a line is
// dropped.
func (s *terminal) prompted() {
	s.t.Helper()
	screen, seen := "", 0
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
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
		case strings.HasSuffix(last, ">") && len(last) < 20: // a quote is open: the line goes on
			s.press("C-c")
		}
	}
	s.t.Fatalf("no prompt:\n%s", screen)
}
