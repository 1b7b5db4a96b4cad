package e2e_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// wait checks that the wait command exits with 0 as soon as the query's value is true, and not before.
func wait(t *testing.T, w *world) {
	w.ask(t, "wait", "all(.proxies[]; synced)", "--timeout", "20s").exits(0).quiet().within(5 * time.Second)
	w.stall(t, "reviews-v2")
	w.ask(t, "wait", "all(.proxies[]; synced)", "--timeout", "2s").exits(1).within(5 * time.Second).lines(1)
	r := w.begin(t, w.least, "wait", "all(.proxies[]; synced)", "--timeout", "40s")
	time.Sleep(2 * time.Second)
	if r.cmd.ProcessState != nil || syscall.Kill(r.cmd.Process.Pid, 0) != nil {
		t.Error("it did not wait")
	}
	w.repair(t)
	r.end().exits(0).quiet().within(20 * time.Second)
}

const watched = `.proxies[] | select(.workload=="reviews-v2") | .rds`

// watch checks that watch mode prints changes, keeps no connections or files open, and ends on Ctrl-C.
func watch(t *testing.T, w *world) {
	r := w.begin(t, w.least, "-w", watched)
	said := func(words ...string) {
		t.Helper()
		want := `"` + strings.Join(words, "\"\n\"") + "\"\n"
		r.awaitOutput(want, func(out string) bool { return out == want })
	}
	said("SYNCED")
	w.stall(t, "reviews-v2")
	said("SYNCED", "STALE")
	sockets := openFiles(t, r)
	w.repair(t)
	said("SYNCED", "STALE", "SYNCED")
	w.stall(t, "reviews-v2")
	said("SYNCED", "STALE", "SYNCED", "STALE")
	if now := openFiles(t, r); now > sockets+2 {
		t.Errorf("%d open files, were %d", now, sockets)
	}
	interrupt(t, r).exits(130).quiet()
}

func interrupt(t *testing.T, r *running) *answer {
	t.Helper()
	sent := time.Now()
	must(t, r.cmd.Process.Signal(os.Interrupt))
	a := r.end()
	if took := time.Since(sent); took > time.Second {
		t.Errorf("ended %v after Ctrl-C", took)
	}
	return a
}

// openFiles counts the open files and connections of a run.
func openFiles(t *testing.T, r *running) int {
	t.Helper()
	fds, err := os.ReadDir(filepath.Join("/proc", fmt.Sprint(r.cmd.Process.Pid), "fd"))
	if os.IsNotExist(err) {
		t.Skip("no /proc")
	}
	must(t, err)
	return len(fds)
}

// watchOverAPIServerRestart checks that watch mode survives a restart of the API server.
func watchOverAPIServerRestart(t *testing.T, w *world) {
	r := w.begin(t, w.least, "-w", watched)
	r.awaitOutput("a first row", func(out string) bool { return out == "\"SYNCED\"\n" })
	w.StopAPIServer()
	w.eventually(t, "it says that the API server is gone", func(context.Context) (bool, error) {
		return strings.Contains(r.err.String(), "refused"), nil
	})
	must(t, w.StartAPIServer(t.Context()))
	w.stall(t, "reviews-v2")
	r.awaitOutput("what happened then", func(out string) bool { return out == "\"SYNCED\"\n\"STALE\"\n" })
	a := interrupt(t, r).exits(130)
	if n := strings.Count(a.err, "\n"); n > 3 {
		t.Errorf("%d lines on stderr:\n%s", n, a.err)
	}
}

// podDeletedMidFetch checks a pod that is deleted during a request to its Envoy. The API server doesn't report that the
// other end of the WebSocket is gone. The client notices when its next ping fails; it sends one every ten seconds, as
// kubectl does.
func podDeletedMidFetch(t *testing.T, w *world) {
	p := w.hang(t, "details-v1")
	r := w.begin(t, w.least, `[.proxies[] | .clusters | length > 10]`, "--request-timeout", "30s")
	time.Sleep(2 * time.Second) // wait for the request to start; the hung Envoy can't report it
	must(t, w.Delete(t.Context(), p))
	w.Kill(p)
	r.end().exits(6).within(12*time.Second).says(p.ID(), "clusters", "lost").lines(1).is([]any{true, true, true, true, true, true})
}

// interrupted checks Ctrl-C during a request to an Envoy: no connection to any pod stays open.
func interrupted(t *testing.T, w *world) {
	w.hang(t, "details-v1")
	r := w.begin(t, w.least, `[.proxies[] | .clusters | length]`, "--request-timeout", "30s")
	time.Sleep(2 * time.Second)
	interrupt(t, r).exits(130).is()
	for _, p := range w.Proxies {
		w.released(t, p)
	}
}
