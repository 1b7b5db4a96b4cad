//go:build unix

package screens

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/test/program"
)

// A terminal is a shell in a tmux server of its own, in an empty home directory,
// with the plugin on its PATH as kubectl-meshq.
type terminal struct {
	t      *testing.T
	socket string
	env    []string
	home   string
	asked  int
}

func openTerminal(t *testing.T, columns, rows int, env ...string) *terminal {
	t.Helper()
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Skip("no tmux on PATH")
	}
	home := t.TempDir()
	if err := os.Symlink(program.Built(t), filepath.Join(home, "kubectl-meshq")); err != nil {
		t.Fatal(err)
	}
	path := home + string(os.PathListSeparator) + os.Getenv("PATH")
	term := &terminal{t: t, socket: filepath.Join(home, "tmux"), home: home, env: append([]string{
		"HOME=" + home, "PATH=" + path, "TERM=xterm-256color", "LANG=C.UTF-8", "KUBECONFIG=" + filepath.Join(home, "none"), "SHELL=/bin/sh", "PS1=ready> ",
	}, env...)}
	term.tmux("-f", "/dev/null", "new-session", "-d", "-x", strconv.Itoa(columns), "-y", strconv.Itoa(rows), "sh")
	t.Cleanup(func() { _ = term.command("kill-server").Run() })
	term.waitFor("ready>")
	return term
}

func (s *terminal) command(args ...string) *exec.Cmd {
	cmd := exec.Command("tmux", append([]string{"-S", s.socket}, args...)...)
	cmd.Env = s.env
	return cmd
}

func (s *terminal) tmux(args ...string) string {
	s.t.Helper()
	out, err := s.command(args...).CombinedOutput()
	if err != nil {
		s.t.Fatalf("tmux %q: %v: %s", args, err, out)
	}
	return string(out)
}

func (s *terminal) write(text string) { s.tmux("send-keys", "-l", "--", text) }
func (s *terminal) press(key string)  { s.tmux("send-keys", key) }

// timeout is for one answer of the terminal, on a busy machine.
const timeout = time.Minute

// waitFor waits until a text is on the screen, and returns the screen.
func (s *terminal) waitFor(text string) string {
	s.t.Helper()
	screen := ""
	for end := time.Now().Add(timeout); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if screen = s.tmux("capture-pane", "-p", "-J"); strings.Contains(withoutTrailing(screen), text) || strings.Contains(screen, text) {
			return screen
		}
	}
	s.t.Fatalf("%q is not seen:\n%s", text, strings.TrimSpace(screen))
	return ""
}

// withoutTrailing returns a screen with one space at most at the end of each line.
func withoutTrailing(screen string) string {
	lines := strings.Split(screen, "\n")
	for i, l := range lines {
		if cut := strings.TrimRight(l, " "); strings.HasSuffix(cut, ">") {
			lines[i] = cut + " "
		} else {
			lines[i] = cut
		}
	}
	return strings.Join(lines, "\n")
}

// run runs a command line on a cleared screen and returns what it printed, and
// its exit code. With colours, it returns the whole screen with its escape
// sequences.
func (s *terminal) run(line string, colors bool) string {
	s.t.Helper()
	s.asked++
	mark := "ended" + strconv.Itoa(s.asked)
	s.write("clear; " + line + "; echo " + mark[:5] + strconv.Itoa(s.asked) + " $?")
	s.press("Enter")
	end := time.Now().Add(timeout)
	for ; time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		screen := "\n" + s.tmux("capture-pane", "-p", "-S", "-")
		if at := strings.LastIndex(screen, "\n"+mark+" "); at >= 0 {
			if colors {
				return s.tmux("capture-pane", "-p", "-e", "-S", "-")
			}
			if begin := strings.LastIndex(screen[:at], "echo "+mark+" $?"); begin >= 0 { // the terminal scrolled before it was cleared
				_, screen, _ = strings.Cut(screen[begin:], "\n")
				at = strings.LastIndex(screen, "\n"+mark+" ")
			}
			code, _, _ := strings.Cut(screen[at+len(mark)+2:], "\n")
			lines := strings.Split(strings.TrimPrefix(screen[:at], "\n"), "\n")
			for i := range lines {
				lines[i] = strings.TrimRight(lines[i], " ")
			}
			return strings.Join(lines, "\n") + "\n(exit code " + strings.TrimSpace(code) + ")\n"
		}
	}
	s.t.Fatalf("%s doesn't end:\n%s", line, s.tmux("capture-pane", "-p"))
	return ""
}
