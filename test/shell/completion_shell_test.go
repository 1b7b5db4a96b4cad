//go:build unix

package shell

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/test/program"
)

// A terminal is a shell in tmux. Each has a tmux server of its own.
type terminal struct {
	t      *testing.T
	socket string
	env    []string

	cleared int
}

// openTerminal starts a shell in an empty home directory. kubectl finds the
// plugin, and completion is set up as the README describes.
func openTerminal(t *testing.T, shell, rc string, start ...string) *terminal {
	t.Helper()
	return openTerminalAs(t, setUp[shell], shell, rc, start...)
}

// openTerminalAs is like openTerminal, but sets up completion with other
// commands.
func openTerminalAs(t *testing.T, commands, shell, rc string, start ...string) *terminal {
	t.Helper()
	for _, name := range []string{"tmux", "kubectl", shell} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("no %s on PATH", name)
		}
	}
	dir := t.TempDir()
	if err := os.Symlink(program.Built(t), filepath.Join(dir, "kubectl-meshq")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, rc), []byte(commands), 0o600); err != nil {
		t.Fatal(err)
	}
	path := dir + string(os.PathListSeparator) + os.Getenv("PATH")
	term := &terminal{t: t, socket: filepath.Join(dir, "tmux"), env: []string{
		"HOME=" + dir, "ZDOTDIR=" + dir, "PATH=" + path, "TERM=xterm", "LANG=C.UTF-8", "KUBECONFIG=" + filepath.Join(dir, "none"), "SHELL=/bin/sh",
	}}
	install := exec.Command("kubectl", "meshq", "completion", "install")
	install.Env = term.env
	if out, err := install.CombinedOutput(); err != nil || !strings.Contains(string(out), "kubectl_complete-meshq: a link to kubectl-meshq") {
		t.Fatalf("%v: %s", err, out)
	}
	for i := range start {
		start[i] = strings.ReplaceAll(start[i], "HOME", dir)
	}
	term.tmux(append([]string{"-f", "/dev/null", "new-session", "-d", "-x", "150", "-y", "50"}, start...)...)
	t.Cleanup(func() { _ = term.command("kill-server").Run() })
	term.waitFor("ready>")
	return term
}

var setUp = map[string]string{
	"bash": `[ -f /usr/share/bash-completion/bash_completion ] && . /usr/share/bash-completion/bash_completion
source <(kubectl completion bash)
source <(kubectl meshq completion bash)
bind 'set bell-style none'
PS1='ready> '
`,
	"zsh": `autoload -Uz compinit; compinit -u -D
source <(kubectl completion zsh)
source <(kubectl meshq completion zsh)
setopt no_beep
PS1='ready> '
`,
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

// shellTimeout is the timeout for a shell's output. On a busy machine, each TAB
// takes seconds.
const shellTimeout = 3 * time.Minute

// waitFor waits until a text is on the screen. A text that is wrapped at the right
// edge of the screen counts as one line.
func (s *terminal) waitFor(text string) {
	s.t.Helper()
	screen := ""
	for end := time.Now().Add(shellTimeout); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if screen = s.tmux("capture-pane", "-p", "-J"); strings.Contains(screen, text) {
			return
		}
	}
	s.t.Fatalf("%q is not seen:\n%s", text, strings.TrimSpace(screen))
}

// clear clears the screen and the command line.
func (s *terminal) clear() {
	s.cleared++
	word := fmt.Sprintf("w%d", s.cleared)
	s.press("C-u")
	s.press("C-l")
	s.write(word)
	s.waitFor("ready> " + word)
	s.press("C-u")
}

func TestBashCompletes(t *testing.T) {
	checkCompletion(t, openTerminal(t, "bash", ".bashrc", "bash --rcfile HOME/.bashrc -i"))
}

func TestZshCompletes(t *testing.T) {
	checkCompletion(t, openTerminal(t, "zsh", ".zshrc", "zsh -i"))
}

// checkCompletion checks completion with the real kubectl: it presses TAB at
// the end of typical command lines.
func checkCompletion(t *testing.T, s *terminal) {
	const line = "kubectl meshq --snapshot demo "
	began := time.Now()
	s.write(line + `'.proxies[] | select(.rds=="STA`)
	s.press("Tab")
	s.waitFor(line + `'.proxies[] | select(.rds=="STALE"`)
	t.Logf("a TAB took %s", time.Since(began).Round(time.Millisecond))
	s.write(`) | .vers`)
	s.press("Tab")
	s.waitFor(line + `'.proxies[] | select(.rds=="STALE") | .version`)
	s.write(`'`)
	s.press("Enter")
	s.waitFor(`"1.31.0"`) // completion must not change the text before the word

	for _, c := range []struct {
		written string
		again   int // the number of additional TABs: bash lists candidates only at a TAB that changes nothing
		seen    string
	}{
		{line + `'.proxy("istio-ingressgateway-`, 0, `'.proxy("istio-ingressgateway-674cc989b8-76lqn.istio-system")`},
		{line + `'.proxies[].clu`, 2, "the destinations of its requests"},
		{line + `"[.proxies[].clusters[] | select(.direction==\"outb`, 0, `select(.direction==\"outbound\"`},
		{line + `'.proxy("reviews-v1").cluster("outbound|9080||rat`, 0, `.cluster("outbound|9080||ratings.default.svc.cluster.local")`},
		{line + `'.proxy("reviews-v1") | {name, up: .conn`, 2, "connectedAt"},
		{line + `-Q '.proxies[0].loca`, 0, `-Q '.proxies[0].locality`},
		{line + `.pil`, 0, line + `.pilots`},
		{line + `statu`, 0, line + `status`},
		{line + `clusters --fqdn rat`, 0, `--fqdn ratings.default.svc.cluster.local`},
		{`kubectl meshq trace --snapshot demo productpage-v1 http://rev`, 0, `http://reviews.default:9080/`},
		{`kubectl-meshq --snapshot demo '.pil`, 0, `kubectl-meshq --snapshot demo '.pilots`},
		{`kubectl vers`, 0, `kubectl version`},
	} {
		s.clear()
		s.write(c.written)
		s.press("Tab")
		for range c.again {
			s.press("Tab")
		}
		s.waitFor(c.seen)
	}
}

// TestKubectlCompletionIsUninstalled checks that completion uninstall, run
// through kubectl, removes the link that install created.
func TestKubectlCompletionIsUninstalled(t *testing.T) {
	kubectl, err := exec.LookPath("kubectl")
	if err != nil {
		t.Skip("no kubectl on PATH")
	}
	dir := t.TempDir()
	if err := os.Symlink(program.Built(t), filepath.Join(dir, "kubectl-meshq")); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "kubectl_complete-meshq")
	for _, c := range []struct{ command, says string }{
		{"install", link + ": a link to kubectl-meshq\n"}, {"install", link + " is there already\n"},
		{"complete", ":4\n"},
		{"uninstall", link + " is removed\n"}, {"uninstall", link + " is not there\n"},
	} {
		words := []string{"meshq", "completion", c.command}
		if c.command == "complete" {
			words = []string{"__complete", "meshq", "--snapshot", "demo", ".x", "reviews-v2"}
		}
		cmd := exec.Command(kubectl, words...)
		cmd.Env = append(os.Environ(), "PATH="+dir+string(os.PathListSeparator)+os.Getenv("PATH"), "KUBECONFIG="+filepath.Join(dir, "none"))
		out, err := cmd.Output()
		if err != nil || !strings.Contains(string(out), c.says) {
			t.Fatalf("%s: %v: %s", fmt.Sprint(words), err, out)
		}
	}
}
