package transport

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// taken is the time of the files in the archives that the tests write. day is the
// time in the manifest of the small snapshot.
var (
	taken = time.Date(2026, 11, 22, 13, 2, 45, 0, time.UTC)
	day   = time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
)

const (
	pilot = "istiod-1.istio-system"
	web   = "web-1.default"
	gw    = "gw-1.istio-system"
)

// small returns the files of a snapshot that has one file of every kind.
func small() map[string]string {
	return map[string]string{
		"manifest.json":        `{"kind":"Snapshot","version":1,"takenAt":"2026-11-20T00:00:00Z","context":"kind","istioNamespace":"istio-system","redacted":["private keys"]}`,
		"kubernetes/pods.json": `{"kind":"List","items":[]}`,
		"kubernetes/gateways.networking.istio.io.json":             `{"kind":"List","items":[1]}`,
		"pilots/" + pilot + "/syncz.json":                          `[{"proxy":"web"}]`,
		"pilots/" + pilot + "/config_dump." + web + ".json":        `{"configs":["desired"]}`,
		"pilots/" + pilot + "/edsz." + web + ".json":               `[]`,
		"pilots/" + pilot + "/version.txt":                         `1.31.0-unknown`,
		"proxies/" + web + "/config_dump.json":                     `{"configs":[` + strings.Repeat(`{"a":1},`, 20000) + `{}]}`,
		"proxies/" + web + "/clusters.json":                        `{"cluster_statuses":[]}`,
		"proxies/" + web + "/logging.txt":                          "active loggers:\n  admin: warning\n",
		"proxies/" + web + "/stats.json":                           `{"stats":[]}`,
		"proxies/" + gw + "/config_dump.json":                      `{"configs":[]}`,
		"proxies/" + gw + "/clusters.txt":                          "a::b::c\n",
		"proxies/" + gw + "/" + strings.Repeat("x", 150) + ".json": `{}`,
	}
}

// asTar returns a tar archive of the files, sorted by name.
func asTar(t testing.TB, top string, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		addEntry(t, w, &tar.Header{Name: top + name, Typeflag: tar.TypeReg}, files[name])
	}
	must(t, w.Close())
	return b.Bytes()
}

func addEntry(t testing.TB, w *tar.Writer, h *tar.Header, body string) {
	t.Helper()
	h.Size, h.Mode, h.ModTime = int64(len(body)), 0o644, taken
	must(t, w.WriteHeader(h))
	_, err := io.WriteString(w, body)
	must(t, err)
}

func asGzip(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write(b)
	must(t, err)
	must(t, w.Close())
	return out.Bytes()
}

func asZstd(t testing.TB, b []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	must(t, err)
	return w.EncodeAll(b, nil)
}

// asOurs returns an archive of the files, written by [Writer].
func asOurs(t testing.TB, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := NewWriter(&b, taken)
	must(t, err)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		must(t, w.Add(name, int64(len(files[name])), strings.NewReader(files[name])))
	}
	must(t, w.Close())
	return b.Bytes()
}

func asFolder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, body := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		must(t, os.WriteFile(path, []byte(body), 0o644))
		must(t, os.Chtimes(path, taken, taken))
	}
	return dir
}

func asFile(t testing.TB, b []byte) string {
	t.Helper()
	// Open must recognize the kind of the source by its content, not by its
	// file name
	path := filepath.Join(t.TempDir(), "x.json")
	must(t, os.WriteFile(path, b, 0o644))
	return path
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func openAll(t testing.TB, b []byte, o OpenOptions) Source {
	t.Helper()
	s, err := OpenBytes(t.Context(), "x", b, o)
	must(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

// text returns a body as text. It reads the body at several offsets.
func text(t testing.TB, b *Body, err error) string {
	t.Helper()
	s, err := read(b, err)
	must(t, err)
	return s
}

func read(b *Body, err error) (string, error) {
	if err != nil {
		return "", err
	}
	all, err := io.ReadAll(io.NewSectionReader(b, 0, b.Size()))
	if err != nil {
		return "", err
	}
	if int64(len(all)) != b.Size() {
		return "", errors.New("its size is not its size")
	}
	if n := len(all); n > 2 {
		part := make([]byte, n/2)
		if m, err := b.ReadAt(part, int64(n-n/2-1)); m < len(part) || err != nil && err != io.EOF || string(part) != string(all[n-n/2-1:n-1]) {
			return "", errors.New("reads otherwise from the middle")
		}
		if m, err := b.ReadAt(make([]byte, 2), b.Size()-1); m != 1 || err != io.EOF {
			return "", errors.New("does not end where it ends")
		}
	}
	return string(all), nil
}

func faults(s Source) string {
	var out []string
	for _, f := range s.Faults() {
		out = append(out, f.Error())
	}
	return strings.Join(out, "\n")
}

func fetch(t testing.TB, s Source, proxy, request string) (string, error) {
	t.Helper()
	return read(s.Fetch(context.Background(), proxy, request, mesh.Hint{}))
}

func wantMissing(t testing.TB, b *Body, err error) {
	t.Helper()
	if b != nil || !errors.Is(err, fs.ErrNotExist) || err.Error() != "not in the snapshot" {
		t.Errorf("missing: %v, %v", b, err)
	}
}

func tarHeader(name string, kind byte) tar.Header { return tar.Header{Name: name, Typeflag: kind} }
