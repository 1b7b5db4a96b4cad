package plugin

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/plugin/shell"
)

// TestCompletionInstall checks that install creates the link in the folder of the
// plugin that is found on PATH, and that uninstall removes it.
func TestCompletionInstall(t *testing.T) {
	dir := t.TempDir()
	plugin, link := filepath.Join(dir, "bin", "kubectl-meshq"), filepath.Join(dir, "bin", "kubectl_complete-meshq")
	run := func(command string) (int, string) {
		var out, errs bytes.Buffer
		path := strings.Join([]string{".", filepath.Join(dir, "none"), filepath.Join(dir, "bin")}, string(os.PathListSeparator))
		code := Main(&process.World{Args: []string{"kubectl-meshq", "completion", command}, Out: &out, Err: &errs, Now: time.Now, Environ: []string{"PATH=" + path, "SHELL=/bin/zsh"}})
		return code, strings.ReplaceAll(out.String()+errs.String(), dir, "")
	}
	expect := func(command string, code int, says string) {
		t.Helper()
		if got, text := run(command); got != code || !strings.HasPrefix(text, says) {
			t.Errorf("%s: exit code %d: %s", command, got, text)
		}
	}
	expect("install", process.ExitUsage, "error: kubectl-meshq is in no folder of PATH")
	expect("uninstall", process.ExitUsage, "error: kubectl-meshq is in no folder of PATH")
	if err := os.MkdirAll(filepath.Dir(plugin), 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(plugin, "one")
	expect("uninstall", process.ExitOK, "/bin/kubectl_complete-meshq is not there")
	expect("install", process.ExitOK, "/bin/kubectl_complete-meshq: a link to kubectl-meshq\n")
	if target, err := os.Readlink(link); err != nil || target != "kubectl-meshq" {
		t.Fatalf("%s %v", target, err)
	}
	if _, text := run("install"); !strings.Contains(text, "is there already") || !strings.Contains(text, "~/.zshrc") || !strings.Contains(text, "source <(kubectl meshq completion zsh)") {
		t.Error(text)
	}
	write(plugin, "another version")
	expect("uninstall", process.ExitOK, "/bin/kubectl_complete-meshq is removed")
	expect("uninstall", process.ExitOK, "/bin/kubectl_complete-meshq is not there")

	write(link, "something of somebody's")
	expect("install", process.ExitUsage, "error: /bin/kubectl_complete-meshq: something else is there")
	expect("uninstall", process.ExitUsage, "error: /bin/kubectl_complete-meshq: that is not what install makes")
	if err := os.Remove(link); err != nil {
		t.Fatal(err)
	}
	write(link, shell.Shim)
	expect("install", process.ExitOK, "/bin/kubectl_complete-meshq is there already")
	expect("uninstall", process.ExitOK, "/bin/kubectl_complete-meshq is removed")

	other := filepath.Join(dir, "kubectl-meshq") // krew links the plugin under another path
	if err := os.Rename(plugin, other); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(other, plugin); err != nil {
		t.Fatal(err)
	}
	expect("install", process.ExitOK, "/bin/kubectl_complete-meshq: a link to kubectl-meshq\n")
	expect("install", process.ExitOK, "/bin/kubectl_complete-meshq is there already")
	expect("uninstall", process.ExitOK, "/bin/kubectl_complete-meshq is removed")
}

func TestCompletionScripts(t *testing.T) {
	for shell, has := range map[string]string{
		"bash": "complete -o default -F __meshq kubectl-meshq", "zsh": "compdef _meshq kubectl-meshq",
		"fish": "complete -c kubectl-meshq", "powershell": "Register-ArgumentCompleter -CommandName 'kubectl-meshq'",
	} {
		if text := said(t, "completion", shell); !strings.Contains(text, has) {
			t.Errorf("%s: no %s", shell, has)
		}
	}
	var out, errs bytes.Buffer
	if code := Main(&process.World{Args: []string{"kubectl-meshq", "completion"}, Out: &out, Err: &errs, Now: time.Now}); code != process.ExitUsage || out.Len() > 0 {
		t.Errorf("exit code %d: %s %s", code, out.String(), errs.String())
	}
}
