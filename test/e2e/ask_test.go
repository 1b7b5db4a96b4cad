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

// An answer holds the output and the exit code of a run of "kubectl meshq".
type answer struct {
	t        *testing.T
	words    []string
	out, err string
	code     int
	took     time.Duration
}

// ask runs "kubectl meshq WORDS…" as the account with the fewest rights.
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

// A running is a run of kubectl that has started. Its output can be read before it ends.
type running struct {
	t        *testing.T
	words    []string
	cmd      *exec.Cmd
	out, err output
	begun    time.Time
	temp     string
	cancel   context.CancelFunc
}

// begin starts "kubectl meshq WORDS…" with a home folder and a folder for temporary files of its own. The run is killed
// after a minute, which is longer than any run should take.
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

// end waits for the end of the run. It reports an error if the run left a temporary file behind.
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

// awaitOutput waits until ok returns true for the output so far. what describes the condition in the error message.
func (r *running) awaitOutput(what string, ok func(out string) bool) {
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

// exits checks the exit code.
func (a *answer) exits(code int) *answer {
	a.t.Helper()
	if a.code != code {
		a.t.Errorf("kubectl %q: exit %d, want %d\nstdout: %s\nstderr: %s", a.words, a.code, code, clip(a.out), clip(a.err))
	}
	return a
}

// quiet checks that the run printed nothing on stderr.
func (a *answer) quiet() *answer {
	a.t.Helper()
	if a.err != "" {
		a.t.Errorf("kubectl %q: said on stderr:\n%s", a.words, a.err)
	}
	return a
}

// says checks that a line on stderr contains all these words.
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

// lines checks the number of lines on stderr.
func (a *answer) lines(n int) *answer {
	a.t.Helper()
	if got := strings.Count(a.err, "\n"); got != n {
		a.t.Errorf("kubectl %q: %d lines on stderr, want %d:\n%s", a.words, got, n, a.err)
	}
	return a
}

// within checks that the run took no longer than d.
func (a *answer) within(d time.Duration) *answer {
	a.t.Helper()
	if a.took > d {
		a.t.Errorf("kubectl %q: took %v, want at most %v", a.words, a.took, d)
	}
	return a
}

// is compares the results, a stream of JSON values, with Go values.
func (a *answer) is(want ...any) *answer {
	a.t.Helper()
	got := a.values()
	if diff := cmp.Diff(plain(a.t, want), any(got)); diff != "" {
		a.t.Errorf("kubectl %q: (-want +got)\n%s\nstderr: %s", a.words, diff, clip(a.err))
	}
	return a
}

// values returns the results.
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

// plain converts a Go value to the types that encoding/json decodes to.
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

// An output is a buffer that one goroutine writes while another one reads it.
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
