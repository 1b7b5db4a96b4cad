package plugin

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/test/istiod"
)

// TestCommandExamples runs the examples in the help of every command. They run over
// the demo mesh, in a folder that contains the files that the examples name.
func TestCommandExamples(t *testing.T) {
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	t.Chdir(dir)
	run := func(words ...string) (code int, said string) {
		var out, errs bytes.Buffer
		w := &process.World{
			Args: append([]string{"kubectl-meshq"}, words...), In: strings.NewReader(""), Out: &out, Err: &errs,
			Environ: []string{"XDG_CONFIG_HOME=" + filepath.Join(dir, "config")}, Dir: dir, Now: time.Now,
			Sleep: func(ctx context.Context, d time.Duration) error { time.Sleep(d); return ctx.Err() },
		}
		return Main(w), out.String() + errs.String()
	}
	if err := os.WriteFile("of.jq", []byte(".kind\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if code, said := run("--snapshot", "demo", "snapshot", "yesterday.tar.zst"); code != process.ExitOK && code != process.ExitPartial {
		t.Fatalf("exit code %d: %s", code, said)
	}
	for name, of := range map[string]string{"virtual-service.yaml": "timeout", "old.yaml": "noop", "canary.yaml": "canary", "policy.yaml": "strict", "rule.yaml": "reviews"} {
		text, err := os.ReadFile(filepath.Join(root, "testdata", "whatif", of+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	binary := istiod.Path()
	word := regexp.MustCompile(`'[^']*'|"[^"]*"|\S+`)
	ran := 0
	for _, cmd := range everyCommand(someRoot().Command) {
		for line := range strings.Lines(cmd.Example) {
			line, ours := strings.CutPrefix(strings.TrimSpace(line), "kubectl meshq")
			if !ours || cmd.Name() == "completion" || cmd.Name() == "fetch-istiod" || // fetch-istiod runs go, docker or a program in a pod
				cmd.HasParent() && cmd.Parent().Name() == "completion" {
				continue
			}
			predicts := strings.Contains(line, "whatif") || strings.Contains(line, "--what-if")
			if predicts && binary == "" {
				t.Logf("%s: no istiod binary: run make e2e once", line)
				continue
			}
			if strings.Contains(line, "|") && predicts { // the example reads a pipe
				continue
			}
			var words []string
			for _, w := range word.FindAllString(line, -1) {
				words = append(words, strings.Trim(w, `'"`))
			}
			if cmd.Flags().Lookup("snapshot") != nil && !strings.Contains(line, "--snapshot") {
				words = append(words, "--snapshot", "demo")
			}
			if predicts {
				words = append(words, "--istiod", binary)
			}
			ran++
			// An example may fail because the demo mesh lacks an object that it
			// names, but not because
			// the command line or the query is invalid.
			if code, said := run(words...); code == process.ExitUsage && !strings.Contains(said, "shop") || code == process.ExitCompile || code == process.ExitRun && !strings.Contains(said, "mysql.db") {
				t.Errorf("%s: exit code %d: %s", line, code, said)
			}
		}
	}
	if ran < 15 {
		t.Errorf("only %d examples were run", ran)
	}
}
