package transport

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// forms returns the small snapshot in all forms that Open accepts. The map's keys
// are paths, and its values are the bytes of archives.
func forms(t *testing.T) map[string][]byte {
	files := small()
	padded := append(bytes.Clone(asZstd(t, []byte("")[:0])), asZstd(t, asTar(t, "", files))...)
	plain := asTar(t, "", files)
	return map[string][]byte{
		"tar":              plain,
		"tar, dot":         asTar(t, "./", files),
		"tar, top":         asTar(t, "stale/", files),
		"tar, dot and top": asTar(t, "./a/b/", files),
		"tar.gz":           asGzip(t, plain),
		"tar.gz, members":  append(asGzip(t, plain[:5000]), asGzip(t, plain[5000:])...),
		"tar.gz, padded":   append(asGzip(t, plain), make([]byte, 512)...),
		"tar.zst":          asZstd(t, plain),
		"tar.zst, top":     asZstd(t, asTar(t, "demo/", files)),
		"tar.zst, frames":  padded,
		"tar.zst, skip":    append([]byte("\x53\x2a\x4d\x18\x03\x00\x00\x00abc"), asZstd(t, plain)...),
		"ours":             asOurs(t, files),
	}
}

func TestFormsOfASnapshot(t *testing.T) {
	checkSnapshot := func(t *testing.T, open func(o OpenOptions) (Source, error)) {
		t.Helper()
		for _, memory := range []int64{0, -1, 1000} {
			dir := t.TempDir()
			s, err := open(OpenOptions{MaxMemory: memory, TempDir: dir})
			must(t, err)
			checkSmall(t, s)
			if left, _ := os.ReadDir(dir); len(left) > 0 && os.PathSeparator == '/' {
				t.Error("the temporary file has a name:", left)
			}
			must(t, s.Close())
		}
	}
	for name, b := range forms(t) {
		t.Run(name, func(t *testing.T) {
			path := asFile(t, b)
			checkSnapshot(t, func(o OpenOptions) (Source, error) { return Open(t.Context(), path, o) })
			checkSnapshot(t, func(o OpenOptions) (Source, error) { return OpenBytes(t.Context(), "x", b, o) })
			checkSnapshot(t, func(o OpenOptions) (Source, error) {
				o.Stdin = io.MultiReader(bytes.NewReader(b[:100]), bytes.NewReader(b[100:]))
				return Open(t.Context(), "-", o)
			})
		})
	}
	dir := asFolder(t, small())
	checkSnapshot(t, func(o OpenOptions) (Source, error) { return Open(t.Context(), dir, o) })
	below := t.TempDir()
	must(t, os.Rename(dir, filepath.Join(below, "stale")))
	checkSnapshot(t, func(o OpenOptions) (Source, error) { return Open(t.Context(), below, o) })
}

func checkSmall(t *testing.T, s Source) {
	t.Helper()
	ctx, files := t.Context(), small()
	want := Manifest{Kind: "Snapshot", Version: 1, TakenAt: day, Context: "kind", IstioNamespace: "istio-system", Redacted: []string{"private keys"}}
	if d := cmp.Diff(want, s.Manifest()); d != "" {
		t.Error(d)
	}
	if f := faults(s); f != "" {
		t.Error(f)
	}
	pilots, err := s.Pilots(ctx)
	must(t, err)
	proxies, err := s.Proxies(ctx)
	must(t, err)
	if d := cmp.Diff([][]string{{pilot}, {gw, web}}, [][]string{pilots, proxies}); d != "" {
		t.Error(d)
	}
	same := func(file string, form Form, b *Body, err error) {
		t.Helper()
		if got := text(t, b, err); got != files[file] {
			t.Errorf("%s: %.80q", file, got)
		}
		if b.Name != filepath.Base(file) || b.Form != form {
			t.Errorf("%s: %s %v", file, b.Name, b.Form)
		}
	}
	for request, file := range map[string]string{
		"config_dump": web + "/config_dump.json", "config_dump?include_eds": web + "/config_dump.json",
		"clusters": web + "/clusters.json", "stats": web + "/stats.json",
	} {
		b, err := s.Fetch(ctx, web, request, mesh.Hint{Names: []string{"a"}})
		same("proxies/"+file, JSON, b, err)
	}
	b, err := s.Fetch(ctx, web, "logging", mesh.Hint{})
	same("proxies/"+web+"/logging.txt", Text, b, err)
	b, err = s.Fetch(ctx, gw, "clusters", mesh.Hint{})
	same("proxies/"+gw+"/clusters.txt", Text, b, err)
	for endpoint, file := range map[string]string{
		"syncz": "syncz", "config_dump?proxyID=" + web: "config_dump." + web, "edsz?proxyID=" + web: "edsz." + web,
	} {
		b, err := s.Pilot(ctx, pilot, endpoint)
		same("pilots/"+pilot+"/"+file+".json", JSON, b, err)
	}
	b, err = s.Pilot(ctx, pilot, "version")
	same("pilots/"+pilot+"/version.txt", Text, b, err)
	for _, resource := range []string{"pods", "gateways.networking.istio.io"} {
		b, err = s.List(ctx, resource)
		same("kubernetes/"+resource+".json", JSON, b, err)
	}
	checkAbsent(t, s)
}

// checkAbsent checks that a request returns the error for a missing file if the
// small snapshot doesn't have the response.
func checkAbsent(t *testing.T, s Source) {
	t.Helper()
	ctx := t.Context()
	for _, q := range [][2]string{
		{web, "certs"}, {web, "nonsense"}, {"other.default", "config_dump"}, {"", "config_dump"}, {"..", "manifest"},
		{"../pilots/" + pilot, "syncz"}, {web + "/../" + gw, "config_dump"}, {web, "../" + gw + "/config_dump"}, {web, ""}, {".", "x"},
	} {
		b, err := s.Fetch(ctx, q[0], q[1], mesh.Hint{})
		wantMissing(t, b, err)
	}
	for _, q := range [][2]string{
		{pilot, "adsz"}, {pilot, "config_dump"}, {pilot, "config_dump?proxyID=none"}, {pilot, "config_dump?proxyID=../" + web},
		{"other", "syncz"}, {"../proxies/" + web, "clusters"}, {pilot, "config_dump?%zz"}, {pilot, ""},
	} {
		b, err := s.Pilot(ctx, q[0], q[1])
		wantMissing(t, b, err)
	}
	for _, resource := range []string{"services", "", "../manifest", "..", `..\manifest`} {
		b, err := s.List(ctx, resource)
		wantMissing(t, b, err)
	}
}

func TestADumpAlone(t *testing.T) {
	envoy := `{ "configs": [` + strings.Repeat(`{"x":"yy"},`, 50000) + `{}]}`
	tunnel := `{"workloadState":{"a":[1,"]}",null]},"workloads":{}}`
	for name, c := range map[string]struct{ body, kind string }{
		"envoy": {envoy, "ConfigDump"}, "ztunnel": {tunnel, "ZtunnelDump"},
		"after others": {`{"n":-1.5e3,"t":true,"s":"a\"\\","o":{"configs":0},"configs":[]}`, "ConfigDump"},
		"byte order":   {"\ufeff\n" + envoy, "ConfigDump"},
		"cut":          {`{"configs":[{"@ty`, "ConfigDump"},
	} {
		for packing, b := range map[string][]byte{
			"plain": []byte(c.body), "gzip": asGzip(t, []byte(c.body)), "zstd": asZstd(t, []byte(c.body)),
		} {
			t.Run(name+" "+packing, func(t *testing.T) {
				check := func(s Source, err error) {
					t.Helper()
					must(t, err)
					defer s.Close()
					if m := s.Manifest(); m.Kind != c.kind || !m.TakenAt.IsZero() {
						t.Errorf("%+v", m)
					}
					if ids, err := s.Proxies(t.Context()); err != nil || len(ids) != 1 || ids[0] != "" {
						t.Error(ids, err)
					}
					if ids, err := s.Pilots(t.Context()); err != nil || len(ids) != 0 {
						t.Error(ids, err)
					}
					b, err := s.Fetch(t.Context(), "", "config_dump", mesh.Hint{})
					if got := text(t, b, err); got != c.body || b.Name != "config_dump.json" || b.Form != JSON {
						t.Errorf("%s %v %.50q", b.Name, b.Form, got)
					}
					b, err = s.Fetch(t.Context(), "", "clusters", mesh.Hint{})
					wantMissing(t, b, err)
					b, err = s.List(t.Context(), "pods")
					wantMissing(t, b, err)
					b, err = s.Pilot(t.Context(), "", "syncz")
					wantMissing(t, b, err)
				}
				check(Open(t.Context(), asFile(t, b), OpenOptions{}))
				check(Open(t.Context(), "-", OpenOptions{Stdin: bytes.NewReader(b), MaxMemory: -1, TempDir: t.TempDir()}))
				check(OpenBytes(t.Context(), "d", b, OpenOptions{}))
			})
		}
	}
}

// TestLoneClusters checks that a single response to /clusters can be opened. It is
// a source with one proxy, which has no other responses.
func TestLoneClusters(t *testing.T) {
	const text = `{"cluster_statuses":[]}`
	s, err := OpenBytes(t.Context(), "x", []byte(text), OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	all, err := s.Proxies(t.Context())
	if err != nil || len(all) != 1 || s.Manifest().Kind != KindClusters {
		t.Errorf("%q %v %v", all, err, s.Manifest())
	}
	body, err := s.Fetch(t.Context(), "", "clusters?format=json", mesh.Hint{})
	if err != nil || body.Name != "clusters.json" || body.Form != JSON || body.Size() != int64(len(text)) {
		t.Errorf("%v %v", body, err)
	}
	if _, err := s.Fetch(t.Context(), "", "config_dump", mesh.Hint{}); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func TestWhatIsNoSource(t *testing.T) {
	manifest := func(text string) []byte { return asTar(t, "", map[string]string{"manifest.json": text}) }
	for _, c := range []struct{ body, want string }{
		{"", "x: not a snapshot: empty"},
		{"hello\n", "x: not a snapshot: text"},
		{"\x01\x02\x03\x04" + strings.Repeat("\xff", 30), "x: not a snapshot: binary data"},
		{strings.Repeat("\x00", 4096), "x: an empty archive"},
		{"PK\x03\x04.....", "x: not a snapshot: a zip archive"},
		{"BZh91AY", "x: not a snapshot: packed with bzip2"},
		{"[1,2]", "x: not a snapshot: a JSON array; for plain JSON use --input"},
		{" \n\t[", "x: not a snapshot: a JSON array; for plain JSON use --input"},
		{`"a"`, "x: not a snapshot: a JSON string; for plain JSON use --input"},
		{"null", "x: not a snapshot: a JSON null; for plain JSON use --input"},
		{"{}", "x: not a snapshot: an empty JSON object; for plain JSON use --input"},
		{`{"a":{"configs":[]},"b":"configs","c":[[]],"d":1}`, "x: not a snapshot: a JSON object (members a, b, c, …); for plain JSON use --input"},
		{`{"apiVersion":"v1","kind":"Pod"}`, "x: not a snapshot: a JSON object (kind Pod); for plain JSON use --input"},
		{"{\"a\x1b[31m\x00\":1}", "x: not a snapshot: a JSON object (members a[31m); for plain JSON use --input"},
		{`{"` + strings.Repeat("long", 1000) + `":1`, "x: not a snapshot: a JSON object (members " + strings.Repeat("long", 16) + "); for plain JSON use --input"},
		{`{"a`, "x: not a snapshot: a JSON object (members a); for plain JSON use --input"},
		{small()["manifest.json"], "x: the manifest of a snapshot: name its folder"},
		{string(asGzip(t, asGzip(t, []byte("a")))), "x: not a snapshot: packed with gzip twice"},
		{string(asGzip(t, nil)), "x: not a snapshot: empty"},
		{string(asGzip(t, []byte("[]"))), "x: not a snapshot: a JSON array; for plain JSON use --input"},
		{"\x1f\x8b", "x: unexpected EOF"},
		{"\x28\xb5\x2f\xfd\x00", "x: unexpected EOF"},
		{string(asGzip(t, []byte(`{"configs":[]}`))[:30]), "x: unexpected EOF"},
		{string(asTar(t, "", map[string]string{"readme": "", "src/main.go": ""})), "x: not a snapshot: no manifest.json, pilots, proxies or kubernetes in it, but src, readme"},
		{string(manifest(`{"kind":"Snapshot","version":2}`)), "x: a snapshot of version 2; this meshq reads version 1"},
		{string(manifest(`{"kind":"Snapshot","version":"1"}`)), `x: a snapshot of version "1"; this meshq reads version 1`},
		{string(manifest(`{"kind":"WebApp","version":1}`)), "x: not a snapshot: the manifest's kind is WebApp"},
	} {
		s, err := OpenBytes(t.Context(), "x", []byte(c.body), OpenOptions{})
		if err == nil || err.Error() != c.want {
			t.Errorf("%.40q:\n got %v\nwant %s", c.body, err, c.want)
		}
		if s != nil {
			t.Errorf("%.40q: a source beside the error", c.body)
		}
	}
	_, err := Open(t.Context(), filepath.Join(t.TempDir(), "none"), OpenOptions{})
	if !errors.Is(err, os.ErrNotExist) || !strings.HasSuffix(err.Error(), "none: no such file or directory") {
		t.Error(err)
	}
	if _, err := Open(t.Context(), "-", OpenOptions{}); err == nil || err.Error() != "stdin: there is none" {
		t.Error(err)
	}
}

func TestLayouts(t *testing.T) {
	for _, c := range []struct {
		names string
		kind  string // the expected kind of the source, or the expected error
	}{
		{"proxies/a.b/config_dump.json", "Snapshot"},
		{"proxies/a/b/config_dump", "BugReport"},
		{"x/y/proxies/a.b/clusters.json", "Snapshot"},
		{"pilots/a/syncz.json", "Snapshot"},
		{"x/kubernetes/pods.json notes.txt .git/proxies/a.b/c", "Snapshot"},
		{"bug-report/bug-report/istio/n/p/debug/syncz bug-report/bug-report/cluster/crs", "BugReport"},
		{"a/manifest.json b/manifest.json", "x: holds 2 snapshots (a, b): name one of them"},
		{"a/b/c/manifest.json", "x: not a snapshot: no manifest.json, pilots, proxies or kubernetes in it, but a"},
		{"cluster/crs", "x: not a snapshot: no manifest.json, pilots, proxies or kubernetes in it, but cluster"},
	} {
		files := map[string]string{}
		for name := range strings.FieldsSeq(c.names) {
			files[name] = "{}"
		}
		s, err := OpenBytes(t.Context(), "x", asTar(t, "", files), OpenOptions{})
		got := ""
		if err != nil {
			got = err.Error()
		} else {
			got = s.Manifest().Kind
			s.Close()
		}
		if got != c.kind {
			t.Errorf("%s: %s, want %s", c.names, got, c.kind)
		}
		if err == nil {
			s, err := Open(t.Context(), asFolder(t, files), OpenOptions{})
			must(t, err)
			if got := s.Manifest().Kind; got != c.kind {
				t.Errorf("folder %s: %s, want %s", c.names, got, c.kind)
			}
			s.Close()
		}
	}
}

func TestManifestsThatAreLived(t *testing.T) {
	const missing = "x: manifest.json: not in the snapshot: its newest file tells its age"
	for _, c := range []struct {
		manifest, fault string
		time            time.Time
	}{
		{"", missing, taken},
		{`{"kind":"Snap`, "x: manifest.json: unexpected end of JSON at byte 13", taken},
		{`[]`, "x: manifest.json: not a JSON object", taken},
		{`{"kind":"Snapshot","takenAt":"2026-11-20T01:00:00+01:00"}`, "x: manifest.json: has no version", day},
		{`{"kind":"Snapshot","version":1,"takenAt":"yesterday"}`, `x: manifest.json: takenAt "yesterday" is no time`, taken},
		{`{"kind":"Snapshot","version":1}`, `x: manifest.json: takenAt "" is no time`, taken},
		{`{"version":1,"takenAt":"2026-11-20T00:00:00Z","redacted":[1,"a"],"context":7}`, "", day},
	} {
		files := map[string]string{"pilots/a.b/syncz.json": "[]"}
		if c.manifest != "" {
			files["manifest.json"] = c.manifest
		}
		for _, b := range [][]byte{asTar(t, "", files), asOurs(t, files), asGzip(t, asTar(t, "q/", files))} {
			s := openAll(t, b, OpenOptions{})
			if got := faults(s); got != c.fault {
				t.Errorf("%s: %s", c.manifest, got)
			}
			if got := s.Manifest().TakenAt; !got.Equal(c.time) || got.Location() != time.UTC {
				t.Errorf("%s: %s", c.manifest, got)
			}
			if c.fault == missing != (len(s.Faults()) == 1 && errors.Is(s.Faults()[0], os.ErrNotExist)) {
				t.Errorf("%s: a fault that lost nothing is to be told from others", c.manifest)
			}
		}
		s, err := Open(t.Context(), asFolder(t, files), OpenOptions{})
		must(t, err)
		if got := s.Manifest().TakenAt; !got.Equal(c.time) {
			t.Errorf("folder: %s: %s", c.manifest, got)
		}
		s.Close()
	}
}

// TestStdinThatWaits checks that Open returns when its context ends, even if
// standard input neither has more data nor is closed.
func TestStdinThatWaits(t *testing.T) {
	r, w := io.Pipe()
	defer w.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		_, _ = w.Write(asTar(t, "", small())[:1500])
		cancel()
	}()
	_, err := Open(ctx, "-", OpenOptions{Stdin: r})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
