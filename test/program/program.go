package program

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/plugin"
	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/rogpeppe/go-internal/lockedfile"
)

// Run runs the whole program in this process.
func Run(t *testing.T, args ...string) (out, errs string, code int) {
	t.Helper()
	var o, e bytes.Buffer
	w := &process.World{Args: append([]string{"kubectl-meshq"}, args...), In: strings.NewReader(""), Out: &o, Err: &e, Now: time.Now, Sleep: sleep, Environ: []string{"HOME=" + t.TempDir()}}
	code = plugin.Main(w)
	return o.String(), e.String(), code
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// RunTo runs a command line in this process.
func RunTo(out io.Writer, words ...string) (code int, stderr string) {
	var text bytes.Buffer
	code = plugin.Main(&process.World{
		Args: append([]string{"kubectl-meshq"}, words...), In: strings.NewReader(""), Out: out, Err: &text, Now: time.Now,
	})
	return code, text.String()
}

// Transcript returns the output of a command: standard output, then standard
// error, then the exit code if it is not 0.
func Transcript(t *testing.T, args []string) string {
	t.Helper()
	out, errs, code := Run(t, args...)
	s := out + errs
	if s != "" && !strings.HasSuffix(s, "\n") {
		s += "\n"
	}
	if code != 0 && !strings.Contains(s, "exit code") {
		s += fmt.Sprintf("(exit code %d)\n", code)
	}
	return s
}

// Words splits a command line as a shell would. It understands quotes, but no
// other syntax.
func Words(line string) []string {
	var all []string
	var word strings.Builder
	quote, in := rune(0), false
	for _, c := range line {
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '\'' || c == '"'):
			quote, in = c, true
		case quote == 0 && c == ' ':
			if in {
				all = append(all, word.String())
			}
			word.Reset()
			in = false
		default:
			word.WriteRune(c)
			in = true
		}
	}
	if in {
		all = append(all, word.String())
	}
	return all
}

// build builds the plugin as make build does. All test packages share the
// binary: it is in the cache of the user, where go build replaces it only if
// what it is built of has changed.
var build = sync.OnceValues(func() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "kubectl-meshq-test")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	unlock, err := lockedfile.MutexAt(filepath.Join(dir, "lock")).Lock()
	if err != nil {
		return "", err
	}
	defer unlock()
	bin := filepath.Join(dir, "kubectl-meshq")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", bin, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return bin, nil
})

// Built returns the path of the real binary.
func Built(t testing.TB) string {
	t.Helper()
	bin, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

// AtRoot runs the tests of a package in the root of the module, which the paths
// in these tests begin at, and returns their exit code. It is for TestMain.
func AtRoot(m *testing.M) int {
	if err := os.Chdir("../.."); err != nil {
		panic(err)
	}
	return m.Run()
}
