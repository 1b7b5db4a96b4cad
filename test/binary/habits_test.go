//go:build unix

package binary

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

// TestPluginWorksInPipelines checks that the plugin, run by the real kubectl,
// works in common pipelines. If the reader closes the pipe early, that is no
// error, and no message is printed.
func TestPluginWorksInPipelines(t *testing.T) {
	env := kubectlPath(t)
	for _, c := range []struct{ line, want string }{
		{`kubectl meshq --snapshot demo '.proxies[]' -o json | head -n 1`, "{\n"},
		{`kubectl meshq --snapshot demo . -o yaml --allow-partial 2>/dev/null | head -n 1`, "authorizationPolicies:\n"},
		{`kubectl meshq --null-input 'repeat(1)' | head -n 2`, "1\n1\n"},
		{`kubectl meshq list | head -n 1 | cut -d' ' -f1`, "NAME\n"},
		{`kubectl meshq help functions | head -n 1`, "DIFF\n"},
		{`kubectl meshq show clusters | head -n 1 | cut -c1-10`, "# clusters\n"},
		{`kubectl meshq --snapshot demo | less | awk '$2 == "STALE" {print $1}'`, "reviews-v2-7d79d5bd5d-8zzqd.default\n"},
		{`kubectl meshq --snapshot demo --no-headers '.proxies[]' | wc -l | tr -d ' '`, "7\n"},
		{`kubectl meshq --snapshot demo '.proxies[].name' -r | xargs -n 1 | sort -r | head -n 1`, "reviews-v3-7dbcdcbc56-m8dph\n"},
		{`kubectl meshq --snapshot demo '.proxies[].name' --raw-output0 | xargs -0 -n 7 | cut -d" " -f1`, "details-v1-6758dd9d8d-rcfnn\n"},
		{`echo '.proxies | length' | kubectl meshq --snapshot demo -f -`, "7\n"},
		{`kubectl meshq save mine '.proxies | length' 2>/dev/null && kubectl meshq --snapshot demo mine`, "7\n"},
		{`mkdir -p "$HOME/shop/.meshq" && cd "$HOME/shop" && echo '.proxies[0:$n] | length' | kubectl meshq save mine -f - --force 2>/dev/null; kubectl meshq --snapshot demo mine`, "7\n"},
		{`cd "$HOME/shop" && printf '# --n NUMBER=2  how many\n.proxies[0:$n] | length' >.meshq/some.jq && kubectl meshq --snapshot demo some --n 3`, "3\n"},
		{`kubectl meshq show clusters | kubectl meshq --snapshot demo -f - reviews-v1 --subset v3 --no-headers | awk '{print $1}'`, "reviews.default.svc.cluster.local\n"},
		{`kubectl meshq --snapshot demo '.proxies[]' -o yaml | kubectl meshq --input - '.' 2>&1 | head -c 6`, "error:"},
		{`kubectl meshq --snapshot demo '.proxies[] | outline' -c | kubectl meshq --input - 'select(.rds=="STALE") | .name' -r`, "reviews-v2-7d79d5bd5d-8zzqd\n"},
	} {
		cmd := exec.Command("bash", "-c", "set -o pipefail; "+c.line)
		if strings.Contains(c.line, "error") || strings.Contains(c.want, "error") || strings.Contains(c.line, "repeat") {
			cmd = exec.Command("bash", "-c", c.line)
		}
		cmd.Env = env
		said, err := cmd.CombinedOutput()
		if err != nil || string(said) != c.want {
			t.Errorf("%s: %v: %q, want %q", c.line, err, said, c.want)
		}
	}
}

// kubectlPath returns an environment in which kubectl finds the plugin. It
// skips the test if there is no kubectl.
func kubectlPath(t *testing.T) []string {
	t.Helper()
	for _, tool := range []string{"kubectl", "bash", "less", "awk", "xargs"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip("no " + tool + " on PATH")
		}
	}
	home := lastingDir(t)
	return append(os.Environ(), "PATH="+filepath.Dir(program.Built(t))+string(os.PathListSeparator)+os.Getenv("PATH"), "HOME="+home, "XDG_CONFIG_HOME=",
		"KUBECONFIG="+filepath.Join(home, "none"))
}

// lastingDir returns a directory that is removed only after all tests, because
// programs in a terminal may run slightly longer than their test.
func lastingDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp(scratch, "habits")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestTerminalShowsColorsAndPagers checks the plugin in a real terminal: that
// output is coloured, or not if colours are disabled, and that a pager and
// watch work.
func TestTerminalShowsColorsAndPagers(t *testing.T) {
	for _, tool := range []string{"tmux", "watch"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip("no " + tool + " on PATH")
		}
	}
	env := append(kubectlPath(t), "TERM=xterm-256color", "NO_COLOR=", "PS1=$ ")
	socket := filepath.Join(lastingDir(t), "tmux")
	tmux := func(args ...string) string {
		t.Helper()
		cmd := exec.Command("tmux", append([]string{"-S", socket, "-f", "/dev/null"}, args...)...)
		cmd.Env = env
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("tmux %q: %v: %s", args, err, out)
		}
		return string(out)
	}
	tmux("new-session", "-d", "-x", "150", "-y", "40", "bash", "--norc", "--noprofile")
	t.Cleanup(func() { tmux("kill-server") })
	// shows types a line and waits until the screen, with its colours, shows
	// all texts of want. "^[" means ESC.
	shows := func(line string, want ...string) string {
		t.Helper()
		tmux("send-keys", "-l", line)
		tmux("send-keys", "Enter")
		ticks := time.NewTicker(20 * time.Millisecond)
		defer ticks.Stop()
		screen := ""
		for end := time.Now().Add(20 * time.Second); time.Now().Before(end); <-ticks.C {
			screen = strings.ReplaceAll(tmux("capture-pane", "-p", "-e"), "\x1b", "^[")
			missing := false
			for _, w := range want {
				missing = missing || !strings.Contains(screen, w)
			}
			if !missing {
				return screen
			}
		}
		t.Errorf("%s: no %q on\n%s", line, want, screen)
		return screen
	}
	const sgr = "^[[3"
	stale := `kubectl meshq --snapshot demo '.proxies[] | select(stale)'`
	if s := shows("clear; "+stale+"; echo end-$((0+1))", "end-1", "reviews-v2"); !strings.Contains(s, sgr) {
		t.Errorf("no colours on a terminal:\n%s", s)
	}
	for i, quiet := range []string{"NO_COLOR=1 ", "TERM=dumb "} {
		line, end := fmt.Sprintf("clear; %s%s; echo end-$((2+%d))", quiet, stale, i), fmt.Sprint("end-", 2+i) // a marker that no other command prints
		if s := shows(line, end, "reviews-v2"); strings.Contains(s, sgr) {
			t.Errorf("%s: colours:\n%s", quiet, s)
		}
	}
	shows("clear; kubectl meshq --snapshot demo '.proxies[] | outline' -o json | less", `"items": [`)
	tmux("send-keys", "q")
	shows("clear; kubectl meshq --snapshot demo '.proxies[] | outline' -C | less -R", sgr+"1mERROR")
	tmux("send-keys", "q")
	shows("clear; watch -n 1 \"kubectl meshq --snapshot demo status reviews-v2 --no-headers\"", "Every 1.0s", "STALE (12s)")
	tmux("send-keys", "C-c")
}
