package plugin

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/plugin/demo"
	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// called runs a command line and returns what it prints.
func called(ctx context.Context, in io.Reader, terminal bool, args ...string) (out, errs string, code int) {
	var o, e bytes.Buffer
	w := &process.World{Args: append([]string{"kubectl-meshq"}, args...), In: in, Out: &o, Err: &e, OutTerminal: terminal, Now: time.Now}
	code = execute(ctx, w)
	return o.String(), e.String(), code
}

func call(t *testing.T, args ...string) (out, errs string, code int) {
	return called(t.Context(), strings.NewReader(""), false, args...)
}

// demoFile writes the snapshot of the demo mesh to a file.
func demoFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "demo.tar.zst")
	if err := os.WriteFile(path, demo.Archive, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

// TestSnapshotAnswers checks that queries print the same over a snapshot as over
// the mesh that it records.
func TestSnapshotAnswers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "again.tar.zst")
	out, errs, code := call(t, "snapshot", file, "--snapshot", "demo", "--desired", "--redact", "envoy", "--yes")
	if code != process.ExitOK || out != "" || !strings.HasPrefix(errs, file+": 7 proxies, ") || strings.Contains(errs, "redacted") {
		t.Fatalf("%d %s%s", code, out, errs)
	}
	queries := []string{
		"", "status", ".takenAt", ".contexts", ".pilots[] | del(.config)", ".pilots[].config | length", ".faults",
		".proxies[] | .desired() | [.clusters, .listeners, .routes, .endpoints, .secrets] | map(length)",
		`.proxy("reviews-v2") | .routes as $r | .desired().routes - $r | map(.name)`,
		`.proxy("istio-ingressgateway").route("http.80").match("/productpage")`,
		`.proxies[] | [.name, .rds, .sync]`, `[.proxies[].clusters[] | select(.subset=="v3")] | length`,
		`.nothing`, `.proxy("nobody")`,
	}
	for _, s := range []string{"clusters", "listeners", "routes", "endpoints", "secrets", "extensions", "bootstrap", "server", "stats", "loggers"} {
		queries = append(queries, `.proxies[] | select(.namespace=="istio-system" or .workload=="reviews-v2") | .`+s)
	}
	for _, l := range []string{
		"services", "endpointSlices", "nodes", "namespaces", "virtualServices", "destinationRules", "gateways", "serviceEntries", "sidecars",
		"envoyFilters", "authorizationPolicies", "peerAuthentications", "kubeGateways", "httpRoutes",
	} {
		queries = append(queries, "."+l)
	}
	queries = append(queries, `.pods | map(del(.metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"]))`)
	const applied = `del(.. | .annotations? | objects | .["kubectl.kubernetes.io/last-applied-configuration"])`
	lacking := []string{`.proxy("nobody")`, ".kubeGateways | " + applied, ".httpRoutes | " + applied}
	for _, q := range queries {
		args := []string{"-o", "json"}
		switch {
		case q == "" || q == "status":
			args = []string{"-o", "wide"}
			q = "status"
		case strings.HasPrefix(q, ".") && !strings.ContainsAny(q[1:], " .(["):
			q += " | " + applied
		}
		wantOut, wantErr, wantCode := call(t, append([]string{"--snapshot", "demo", q}, args...)...)
		gotOut, gotErr, gotCode := call(t, append([]string{"--snapshot", file, q}, args...)...)
		if gotOut != wantOut || gotErr != wantErr || gotCode != wantCode {
			t.Errorf("%s: exit code %d, want %d\n got %.1000s%s\nwant %.1000s%s", q, gotCode, wantCode, gotOut, gotErr, wantOut, wantErr)
		}
		if empty := gotOut == "" || gotCode != process.ExitOK; empty != slices.Contains(lacking, q) {
			t.Errorf("%s: what is compared is not what it seems: %d %.300s%s", q, gotCode, gotOut, gotErr)
		}
	}
}

// TestSnapshotWords checks that errors in the command line are reported before any
// request is sent, and that no file remains.
func TestSnapshotWords(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := errors.Join(os.WriteFile(at("there.tar.zst"), []byte("x"), 0o644), os.Mkdir(at("folder"), 0o755), os.Symlink(at("nowhere"), at("link"))); err != nil {
		t.Fatal(err)
	}
	before := names(t, dir)
	for want, args := range map[string][]string{
		"snapshot: no file to write, like mesh.tar.zst":             {},
		at("there.tar.zst") + ": there is one; --force replaces it": {at("there.tar.zst")},
		at("folder") + ": a folder; a snapshot is a file":           {at("folder"), "--force"},
		at("link") + `: no regular file; "-" is standard output`:    {at("link"), "--force"},
		at("no/x.tar.zst") + ": no such file or directory":          {at("no/x.tar.zst")},
		at("x.tar.gz") + ": what is written is a .tar.zst":          {at("x.tar.gz")},
		"no proxy named nobody":                                     {at("x.tar.zst"), "nobody"},
		"--concurrency 0: not a number from 1":                      {at("x.tar.zst"), "--concurrency", "0"},
		"the time given by --timeout is over":                       {at("x.tar.zst"), "--timeout", "1ns"},
		"--shard 3/2: not a part like 2/8":                          {at("x.tar.zst"), "--shard", "3/2"},
		"unknown flag: --query":                                     {at("x.tar.zst"), "--query", "."},
		"--sections clusters1: no section of a proxy; these are clusters, listeners, routes, endpoints, secrets, extensions, bootstrap, server, stats, loggers, updates, workloads, services, policies, connections": {at("x.tar.zst"), "--sections", "clusters,clusters1"},
	} {
		out, errs, code := call(t, append([]string{"snapshot", "--snapshot", "demo"}, args...)...)
		wantCode := process.ExitUsage
		if slices.Contains(args, "--timeout") || slices.Contains(args, "nobody") {
			wantCode = process.ExitRun
		}
		if code != wantCode || out != "" || errs != "error: "+want+"\n" {
			t.Errorf("%q: %d %s%s", args, code, out, errs)
		}
	}
	if _, errs, code := called(t.Context(), nil, true, "snapshot", "-", "--snapshot", "demo"); code != process.ExitUsage || !strings.Contains(errs, "terminal") {
		t.Errorf("%d %s", code, errs)
	}
	if got := names(t, dir); !slices.Equal(got, before) {
		t.Errorf("left behind: %q", got)
	}
	if text, err := os.ReadFile(at("there.tar.zst")); string(text) != "x" {
		t.Errorf("%q %v", text, err)
	}
}

func TestSnapshotTargets(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "x.tar.zst")
	key := filepath.Join(t.TempDir(), "key")
	if err := errors.Join(os.WriteFile(file, []byte("x"), 0o644), os.WriteFile(key, []byte("0123456789abcdef\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, errs, code := call(t, "snapshot", file, "--force", "--redact-key", key, "--snapshot", "demo", "--sections", "stats", "deploy/reviews-v2"); code != process.ExitOK || !strings.Contains(errs, ": 1 proxy, ") {
		t.Fatalf("%d %s", code, errs)
	}
	info, err := os.Stat(file)
	if err != nil || runtime.GOOS != "windows" && info.Mode() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	out, errs, code := call(t, "snapshot", "-", "--redact-key", key, "--snapshot", "demo", "--sections=stats", "deploy/reviews-v2")
	if text, err := os.ReadFile(file); err != nil || code != process.ExitOK || string(text) != out || !strings.HasPrefix(errs, "standard output: 1 proxy, ") {
		t.Errorf("%d %d bytes, not %d: %s", code, len(out), len(text), errs)
	}
	s, err := transport.OpenBytes(t.Context(), "x", []byte(out), transport.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if all, err := s.Proxies(t.Context()); err != nil || len(all) != 1 {
		t.Errorf("%q %v", all, err)
	}
	if got := names(t, dir); len(got) != 1 {
		t.Errorf("left behind: %q", got)
	}
	broken := &process.World{Args: []string{"meshq", "snapshot", "-", "--snapshot", "demo"}, Out: full{}, Err: io.Discard, Now: time.Now}
	if code := execute(t.Context(), broken); code != process.ExitUsage {
		t.Errorf("a full disk: %d", code)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

// TestSnapshotPartial checks that parts of the mesh which can't be recorded are
// reported, both during the recording and when the snapshot is read.
func TestSnapshotPartial(t *testing.T) {
	dir := t.TempDir()
	s, err := transport.Open(t.Context(), demoFile(t), transport.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	pilots, err := s.Pilots(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, get := range map[string]func() (*transport.Body, error){
		"pilots/" + pilots[0] + "/syncz.json": func() (*transport.Body, error) { return s.Pilot(t.Context(), pilots[0], "syncz") },
		"pilots/" + pilots[0] + "/adsz.json":  func() (*transport.Body, error) { return s.Pilot(t.Context(), pilots[0], "adsz") },
		"kubernetes/pods.json":                func() (*transport.Body, error) { return s.List(t.Context(), "pods") },
	} {
		body, err := get()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(io.NewSectionReader(body, 0, body.Size()))
		path := filepath.Join(dir, "mesh", name)
		if err := errors.Join(err, os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, text, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "mesh/kubernetes/services.json"), []byte(`upstream connect error`), 0o644); err != nil {
		t.Fatal(err)
	}
	from, file := filepath.Join(dir, "mesh"), filepath.Join(dir, "x.tar.zst")
	_, errs, code := call(t, "snapshot", file, "--snapshot", from)
	if code != process.ExitPartial || !strings.HasPrefix(errs, "kubernetes: services: no JSON value at byte 0\n"+file+": 0 proxies, ") || !strings.HasSuffix(errs, "; partial: 1 fault\n") {
		t.Errorf("%d %s", code, errs)
	}
	if _, errs, code := call(t, "snapshot", file, "--force", "--snapshot", from, "--allow-partial"); code != process.ExitOK {
		t.Errorf("%d %s", code, errs)
	}
	out, errs, code := call(t, "--snapshot", file, ".proxies | length")
	if want := "note: " + file + ": some of the mesh could not be had when it was recorded; its manifest.json tells what\n"; out != "7\n" || errs != want || code != process.ExitOK {
		t.Errorf("%d %s%s", code, out, errs)
	}
	_, errs, code = call(t, "snapshot", filepath.Join(dir, "y.tar.zst"), "--snapshot", file)
	if code != process.ExitPartial || !strings.Contains(errs, "; partial, as what it was made of\n") {
		t.Errorf("%d %s", code, errs)
	}
}

// TestSnapshotInterrupted checks that an interrupted recording leaves neither a
// complete nor an incomplete file.
func TestSnapshotInterrupted(t *testing.T) {
	dir := t.TempDir()
	ctx, interrupt := context.WithCancel(t.Context())
	in, stuck := io.Pipe()
	defer stuck.Close()
	go func() {
		stuck.Write(demo.Archive[:1000]) // only a part of the archive, so that the program waits for the rest
	}()
	go func() {
		for found := false; !found; runtime.Gosched() {
			entries, err := os.ReadDir(dir)
			found = err != nil || len(entries) > 0
		}
		interrupt()
	}()
	_, errs, code := called(ctx, in, false, "snapshot", filepath.Join(dir, "x.tar.zst"), "--snapshot", "-")
	if code != process.ExitInterrupted {
		t.Errorf("%d %s", code, errs)
	}
	if _, err := os.Stat(filepath.Join(dir, "x.tar.zst")); !errors.Is(err, fs.ErrNotExist) || len(names(t, dir)) > 0 {
		t.Errorf("left behind: %q", names(t, dir))
	}
}

// serveEnvoy starts a server that sends the recorded responses of an Envoy of the
// demo mesh, and returns its URL.
func serveEnvoy(t *testing.T, s transport.Source, id string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := s.Fetch(r.Context(), id, strings.TrimPrefix(r.URL.Path, "/"), mesh.Hint{})
		if wants := r.URL.Query().Get("format") == "json"; err != nil || wants && body.Form != transport.JSON || (r.Method == "POST") != (r.URL.Path == "/logging") {
			http.NotFound(w, r)
			return
		}
		io.Copy(w, io.NewSectionReader(body, 0, body.Size())) // the test notices if the response is incomplete
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// TestSnapshotLive checks that a snapshot of a live mesh contains the responses
// unchanged.
func TestSnapshotLive(t *testing.T) {
	from, err := transport.OpenBytes(t.Context(), "demo", demo.Archive, transport.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	pilot, file := startPilot(t), filepath.Join(t.TempDir(), "x.tar.zst")
	live := []string{"--pilot", pilot.URL, "--envoy", serveEnvoy(t, from, theReviews), "--envoy", serveEnvoy(t, from, theRatings)}
	_, errs, code := call(t, append([]string{"snapshot", file, "reviews-v1", "ratings-v1", "--redact", "envoy", "--yes"}, live...)...)
	if code != process.ExitOK || !strings.HasPrefix(errs, file+": 2 proxies, 19 files, ") {
		t.Fatalf("%d %s", code, errs)
	}
	recorded, err := transport.Open(t.Context(), file, transport.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer recorded.Close()
	for _, request := range []string{"config_dump", "clusters", "listeners", "certs", "server_info", "stats", "logging", "ready"} {
		want, err := from.Fetch(t.Context(), theReviews, request, mesh.Hint{})
		got, err2 := recorded.Fetch(t.Context(), theReviews, request, mesh.Hint{})
		if err := errors.Join(err, err2); err != nil {
			t.Errorf("%s: %v", request, err)
			continue
		}
		was, _ := io.ReadAll(io.NewSectionReader(want, 0, want.Size()))
		is, _ := io.ReadAll(io.NewSectionReader(got, 0, got.Size()))
		if len(was) == 0 || !bytes.Equal(was, is) {
			t.Errorf("%s: %d bytes, not %d", request, len(is), len(was))
		}
	}
	for _, q := range []string{
		`.proxy("reviews-v1") | .clusters, .listeners, .routes, .secrets, .server`, `.proxies[] | [.id, .cds, .rds]`, `.proxy("ratings-v1").endpoints`,
	} {
		want, _, _ := call(t, append([]string{"-o", "json", q}, live...)...)
		got, _, _ := call(t, "-o", "json", q, "--snapshot", file)
		if got == "" || got != want {
			t.Errorf("%s: %.300s\nwant %.300s", q, got, want)
		}
	}
	// A proxy that can't be reached is reported exactly once.
	_, errs, code = call(t, "snapshot", file, "--force", "--pilot", pilot.URL, "--envoy", serveEnvoy(t, from, theReviews), "reviews-v1", "ratings-v1")
	if want := theRatings + ": config_dump: no address of it is known\n"; code != process.ExitPartial || !strings.HasPrefix(errs, want) || !strings.HasSuffix(errs, "; partial: 1 fault\n") {
		t.Errorf("%d %s", code, errs)
	}
}
