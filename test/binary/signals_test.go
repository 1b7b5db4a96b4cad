//go:build unix

package binary

import (
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/test/program"
)

// writeScript writes a shell script and returns its path.
func writeScript(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// filesIn returns the names of the files in directories.
func filesIn(t *testing.T, folders ...string) (names []string) {
	t.Helper()
	for _, dir := range folders {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			names = append(names, e.Name())
		}
	}
	return names
}

// TestSignalsLeaveNothing sends signals at random moments. The program must end
// soon and leave no files. Its exit code is that of an interrupted run, or that
// of a run which was over already.
func TestSignalsLeaveNothing(t *testing.T) {
	bin := program.Built(t)
	tmp, out := t.TempDir(), t.TempDir()
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "TMPDIR=" + tmp, "KUBECONFIG=/dev/null"}
	commands := []struct {
		args []string
		env  string
		code int // the exit code of a run that isn't interrupted
	}{
		{args: []string{"snapshot", filepath.Join(out, "x.tar.zst"), "--snapshot", "demo", "--force"}},
		{args: []string{"diff", "reviews-v2", "--snapshot", "demo"}, env: "KUBECTL_EXTERNAL_DIFF=" + writeScript(t, "exec sleep 60\n")},
		{args: []string{"diff", "reviews-v2", "--snapshot", "demo"}, env: "KUBECTL_EXTERNAL_DIFF=" + writeScript(t, "sleep 60\n")},
		{args: []string{"--null-input", "repeat(1)"}},
		{args: []string{"--snapshot", "demo", ".proxies[]"}},
		{args: []string{"check", "--snapshot", "demo"}, code: 6},
	}
	signals := []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT}
	if signal.Ignored(syscall.SIGHUP) { // if the tests run under nohup, the plugin inherits that and ignores SIGHUP, too
		signals = slices.DeleteFunc(signals, func(s syscall.Signal) bool { return s == syscall.SIGHUP })
	}
	random := rand.New(rand.NewPCG(1, 2))
	for i := range len(commands) * len(signals) {
		c, s := commands[i%len(commands)], signals[i/len(commands)%len(signals)]
		cmd := exec.Command(bin, c.args...)
		said, err := os.Create(filepath.Join(t.TempDir(), "said")) // not a pipe, because a process left by the diff program would keep it open
		if err != nil {
			t.Fatal(err)
		}
		cmd.Env, cmd.Stderr = append(env, c.env), said
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20*time.Millisecond + time.Duration(random.IntN(400))*time.Millisecond)
		began := time.Now()
		_ = cmd.Process.Signal(s) // the process may have ended already
		err = cmd.Wait()
		took := time.Since(began)
		said.Close()
		told, _ := os.ReadFile(said.Name())
		var exit *exec.ExitError
		code := 0
		if errors.As(err, &exit) {
			code = exit.ExitCode()
		}
		early := code == -1 && exit.Sys().(syscall.WaitStatus).Signal() == s && len(told) == 0 || // the signal came before the program's own code ran
			s == syscall.SIGQUIT && strings.HasPrefix(string(told), "SIGQUIT: quit")
		if code != 130 && code != c.code && !early {
			t.Errorf("%v, %v: exit code %d, %s", c.args, s, code, told)
		}
		if took > 30*time.Second { // the diff program would sleep for a minute
			t.Errorf("%v, %v: ends after %v", c.args, s, took)
		}
		for _, name := range filesIn(t, tmp, out) {
			if name != "x.tar.zst" {
				t.Errorf("%v, %v: left behind: %s; exit code %d, %s, %v", c.args, s, name, code, told, early)
			}
		}
		if !early && strings.Contains(string(told), "goroutine ") {
			t.Errorf("%v, %v: %.300s", c.args, s, told)
		}
	}
}

// TestIgnoredSignalsStayIgnored checks that a run started like nohup does
// ignores SIGHUP.
func TestIgnoredSignalsStayIgnored(t *testing.T) {
	cmd := exec.Command("sh", "-c", `trap "" HUP; exec "$0" --null-input 'last(range(3e6))'`, program.Built(t))
	var out strings.Builder
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		time.Sleep(20 * time.Millisecond)
		_ = cmd.Process.Signal(syscall.SIGHUP)
	}
	if err := cmd.Wait(); err != nil || out.String() != "2999999\n" {
		t.Errorf("%v, printed %q", err, out.String())
	}
}

// TestStuckRunsEnd checks that signals also end a run that is blocked where it
// can't check its context: in a write to a pipe that is never read, or on an
// external diff whose child process keeps the pipe open.
func TestStuckRunsEnd(t *testing.T) {
	bin := program.Built(t)
	tmp := t.TempDir()
	t.Run("a pipe that nobody reads", func(t *testing.T) {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		cmd := exec.Command(bin, "--null-input", "repeat(1)")
		cmd.Stdout = w
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		w.Close()
		time.Sleep(300 * time.Millisecond)
		began := time.Now()
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if took := time.Since(began); cmd.ProcessState.ExitCode() != 130 || took > 5*time.Second {
			t.Errorf("%v after %v", cmd.ProcessState, took)
		}
	})
	t.Run("what the external diff left running", func(t *testing.T) {
		cmd := exec.Command(bin, "diff", "reviews-v2", "--snapshot", "demo")
		cmd.Env = append(os.Environ(), "TMPDIR="+tmp, "KUBECTL_EXTERNAL_DIFF="+writeScript(t, "sleep 20 &\nexit 1\n"))
		began := time.Now()
		out, err := os.Create(filepath.Join(t.TempDir(), "out"))
		if err != nil {
			t.Fatal(err)
		}
		defer out.Close()
		cmd.Stdout, cmd.Stderr = out, out
		if err := cmd.Run(); cmd.ProcessState.ExitCode() != 1 {
			text, _ := os.ReadFile(out.Name())
			t.Errorf("%v: %s", err, text)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("ends after %v", took)
		}
	})
	if left := filesIn(t, tmp); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}
