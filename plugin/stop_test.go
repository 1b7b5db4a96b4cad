//go:build unix

package plugin

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/plugin/process"
)

// TestNamedPipesEndWithTheRun passes a named pipe without a writer to every option
// that takes a path. It checks that an interrupt and --timeout both end the wait
// for such a pipe.
func TestNamedPipesEndWithTheRun(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip(err)
	}
	library := filepath.Join(dir, "library")
	if err := os.Mkdir(library, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"m.jq", "d.json"} {
		if err := syscall.Mkfifo(filepath.Join(library, name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	config := filepath.Join(dir, "config")
	text := "apiVersion: v1\nkind: Config\ncurrent-context: a\ncontexts: [{name: a, context: {cluster: a, user: a}}]\n" +
		"clusters: [{name: a, cluster: {server: 'https://127.0.0.1:1'}}]\nusers: [{name: a, user: {}}]\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string][]string{
		"--snapshot":               {"--snapshot", pipe, "."},
		"a second --snapshot":      {"--snapshot", "demo", "--snapshot", pipe, ".proxies[]"},
		"wait --snapshot":          {"wait", "--snapshot", pipe, "-Q", "true"},
		"snapshot of a --snapshot": {"snapshot", filepath.Join(dir, "o.tar.zst"), "--snapshot", pipe},
		"trace --snapshot":         {"trace", "--snapshot", pipe, "a", "http://b/"},
		"check --snapshot":         {"check", "--snapshot", pipe},
		"diff --snapshot":          {"diff", "--snapshot", pipe, "a"},
		"diff --against":           {"diff", "--snapshot", "demo", "--against", pipe, "reviews-v1"},
		"diff --file":              {"diff", "--snapshot", "demo", "--file", pipe, "reviews-v1"},
		"--input":                  {"--input", pipe, "."},
		"-f":                       {"--null-input", "-f", pipe},
		"save -f":                  {"save", "zz", "-f", pipe},
		"--rawfile":                {"--null-input", "--rawfile", "x", pipe, "$x"},
		"--slurpfile":              {"--null-input", "--slurpfile", "x", pipe, "$x"},
		"go-template-file":         {"--snapshot", "demo", "-o", "go-template-file=" + pipe, "."},
		"jsonpath-file":            {"--snapshot", "demo", "-o", "jsonpath-file=" + pipe, "."},
		"custom-columns-file":      {"--snapshot", "demo", "-o", "custom-columns-file=" + pipe, ".proxies[]"},
		"--kubeconfig":             {"--kubeconfig", pipe, "."},
		"--client-certificate":     {"--kubeconfig", config, "--client-certificate", pipe, "--client-key", pipe, "."},
		"--certificate-authority":  {"--kubeconfig", config, "--certificate-authority", pipe, "."},
	}
	for name, args := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // most of the time is waiting
			ctx, cancel := context.WithCancel(t.Context())
			defer time.AfterFunc(200*time.Millisecond, cancel).Stop()
			code, errs := within(t, ctx, args)
			if code != process.ExitInterrupted {
				t.Errorf("an interrupt gives exit code %d, %s", code, errs)
			}
			timed := append(args[:len(args):len(args)], "--timeout", "200ms")
			if name == "save -f" {
				return // save has no --timeout
			}
			if code, errs := within(t, t.Context(), timed); name[0] != 'w' && code != process.ExitRun && code != process.ExitUsage || code == process.ExitOK {
				t.Errorf("--timeout gives exit code %d, %s", code, errs)
			}
		})
	}
	refused := map[string][]string{
		"--library-path":      {"--null-input", "--library-path", pipe, "1"},
		"a module":            {"--null-input", "--library-path", library, `import "m" as m; 1`},
		"a module of data":    {"--null-input", "--library-path", library, `import "d" as $d; 1`},
		"a module's metadata": {"--null-input", "--library-path", library, `"m" | modulemeta`},
		"the file to write":   {"snapshot", pipe, "--snapshot", "demo", "--force"},
	}
	for name, args := range refused {
		t.Run(name, func(t *testing.T) {
			if code, errs := within(t, t.Context(), args); code == process.ExitOK || !strings.Contains(errs, "no regular file") && !strings.Contains(errs, "not a directory") {
				t.Errorf("exit code %d, %s", code, errs)
			}
		})
	}
}

// within runs a command line that must end by itself. The time is a watchdog.
func within(t *testing.T, ctx context.Context, args []string) (code int, errs string) {
	t.Helper()
	var out, told strings.Builder
	w := process.Current()
	w.Args, w.Out, w.Err, w.In = append([]string{"kubectl-meshq"}, args...), &out, &told, strings.NewReader("")
	w.Environ = []string{"HOME=" + t.TempDir()}
	done := make(chan int, 1)
	go func() { done <- execute(ctx, w) }()
	select {
	case code := <-done:
		return code, told.String()
	case <-time.After(2 * time.Minute):
		t.Fatalf("%q doesn't end", args)
		return 0, ""
	}
}

// TestPipesAreRead checks that options can read a named pipe, which is what a shell
// passes for <(…).
func TestPipesAreRead(t *testing.T) {
	for name, args := range map[string][]string{
		"--input":     {"--input", "PIPE", "-c", "."},
		"--rawfile":   {"--null-input", "--rawfile", "x", "PIPE", "$x|fromjson"},
		"--slurpfile": {"--null-input", "--slurpfile", "x", "PIPE", "$x[]"},
		"-f":          {"--null-input", "-f", "PIPE"},
	} {
		t.Run(name, func(t *testing.T) {
			pipe := filepath.Join(t.TempDir(), "pipe")
			if err := syscall.Mkfifo(pipe, 0o600); err != nil {
				t.Skip(err)
			}
			go os.WriteFile(pipe, []byte("17"), 0o600)
			for i := range args {
				if args[i] == "PIPE" {
					args[i] = pipe
				}
			}
			var out strings.Builder
			w := process.Current()
			w.Args, w.Out, w.Err = append([]string{"kubectl-meshq"}, args...), &out, &out
			w.Environ = []string{"HOME=" + t.TempDir()}
			if code := execute(t.Context(), w); code != process.ExitOK || out.String() != "17\n" {
				t.Errorf("exit code %d, %s", code, out.String())
			}
		})
	}
}
