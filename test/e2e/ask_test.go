package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// An answer is what a run of "kubectl meshq" left behind.
type answer struct {
	t        *testing.T
	words    []string
	out, err string
	code     int
	took     time.Duration
}

// ask runs "kubectl meshq WORDS…" as the account that may least.
func (w *world) ask(t *testing.T, words ...string) *answer {
	t.Helper()
	return w.askAs(t, w.least, words...)
}

// askAs runs "kubectl meshq WORDS…" with a kubeconfig.
func (w *world) askAs(t *testing.T, kubeconfig string, words ...string) *answer {
	t.Helper()
	r := w.begin(t, kubeconfig, words...)
	return r.end()
}

// A running is a run of kubectl that has begun. Its output can be read while
// it goes on.
type running struct {
	t        *testing.T
	words    []string
	cmd      *exec.Cmd
	out, err output
	begun    time.Time
	temp     string
	cancel   context.CancelFunc
}

// begin starts "kubectl meshq WORDS…" with a home and a folder for temporary
// files of its own. A minute is more than any run may take.
func (w *world) begin(t *testing.T, kubeconfig string, words ...string) *running {
	t.Helper()
	return w.start(t, kubeconfig, append([]string{"meshq"}, words...)...)
}

func (w *world) start(t *testing.T, kubeconfig string, words ...string) *running {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	r := &running{t: t, words: words, temp: w.folder(t), cancel: cancel}
	r.cmd = exec.CommandContext(ctx, w.kubectl, words...)
	r.cmd.Dir = w.folder(t)
	r.cmd.Env = []string{
		"PATH=" + w.path + ":/usr/bin:/bin", "HOME=" + r.cmd.Dir, "TMPDIR=" + r.temp,
		"KUBECONFIG=" + kubeconfig,
	}
	r.cmd.Stdout, r.cmd.Stderr = &r.out, &r.err
	r.begun = time.Now()
	if err := r.cmd.Start(); err != nil {
		cancel()
		t.Fatal(err)
	}
	return r
}

// end waits for the end of the run. A temporary file that is left is a fault
// of every run, whatever it was about.
func (r *running) end() *answer {
	r.t.Helper()
	defer r.cancel()
	err := r.cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		r.t.Fatalf("kubectl %q: %v", r.words, err)
	}
	if left, _ := os.ReadDir(r.temp); len(left) > 0 {
		r.t.Errorf("kubectl %q: left %v in TMPDIR", r.words, left)
	}
	return &answer{
		t: r.t, words: r.words, out: r.out.String(), err: r.err.String(),
		code: r.cmd.ProcessState.ExitCode(), took: time.Since(r.begun),
	}
}

// until waits until what the run has printed satisfies ok.
func (r *running) until(what string, ok func(out string) bool) {
	r.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !ok(r.out.String()) {
		if time.Now().After(deadline) {
			r.cmd.Process.Kill()
			a := r.end()
			r.t.Fatalf("kubectl %q: waited for %s; it printed:\n%s%s", r.words, what, a.out, a.err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// exits holds the exit code.
func (a *answer) exits(code int) *answer {
	a.t.Helper()
	if a.code != code {
		a.t.Errorf("kubectl %q: exit %d, want %d\nstdout: %s\nstderr: %s", a.words, a.code, code, clip(a.out), clip(a.err))
	}
	return a
}

// quiet holds that nothing was said on stderr.
func (a *answer) quiet() *answer {
	a.t.Helper()
	if a.err != "" {
		a.t.Errorf("kubectl %q: said on stderr:\n%s", a.words, a.err)
	}
	return a
}

// says holds that stderr has a line with all these words.
func (a *answer) says(words ...string) *answer {
	a.t.Helper()
	for line := range strings.Lines(a.err) {
		if containsAll(line, words) {
			return a
		}
	}
	a.t.Errorf("kubectl %q: no line on stderr with %q:\n%s", a.words, words, a.err)
	return a
}

// lines holds how many lines there are on stderr.
func (a *answer) lines(n int) *answer {
	a.t.Helper()
	if got := strings.Count(a.err, "\n"); got != n {
		a.t.Errorf("kubectl %q: %d lines on stderr, want %d:\n%s", a.words, got, n, a.err)
	}
	return a
}

// within holds how long it took.
func (a *answer) within(d time.Duration) *answer {
	a.t.Helper()
	if a.took > d {
		a.t.Errorf("kubectl %q: took %v, want at most %v", a.words, a.took, d)
	}
	return a
}

// is holds the results, JSON values one after another, against Go values.
func (a *answer) is(want ...any) *answer {
	a.t.Helper()
	got := a.values()
	if diff := cmp.Diff(plain(a.t, want), any(got)); diff != "" {
		a.t.Errorf("kubectl %q: (-want +got)\n%s\nstderr: %s", a.words, diff, clip(a.err))
	}
	return a
}

// values are the results.
func (a *answer) values() []any {
	a.t.Helper()
	all := []any{}
	for dec := json.NewDecoder(strings.NewReader(a.out)); dec.More(); {
		var v any
		if err := dec.Decode(&v); err != nil {
			a.t.Fatalf("kubectl %q: %v in:\n%s\nstderr: %s", a.words, err, clip(a.out), clip(a.err))
		}
		all = append(all, v)
	}
	return all
}

// plain makes JSON's values of Go's.
func plain(t *testing.T, v any) (out any) {
	t.Helper()
	if reflect.ValueOf(v).Len() == 0 {
		return []any{}
	}
	b, err := json.Marshal(v)
	must(t, err)
	must(t, json.Unmarshal(b, &out))
	return out
}

func containsAll(s string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(s, w) {
			return false
		}
	}
	return true
}

func clip(s string) string { return s[:min(len(s), 2000)] }

// An output is written by a process and read meanwhile.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}
