package hostile

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/plugin/demo"
	"github.com/meshq/kubectl-meshq/test/program"
)

// TestBrokenDumpsGiveOneMessage checks broken config dumps of one proxy. Each
// must cause one clear message and no panic, and the other proxies must be
// read.
func TestBrokenDumpsGiveOneMessage(t *testing.T) {
	bad := []struct{ name, dump, says string }{
		{"empty", "", "config_dump.json: "},
		{"truncated", `{"configs":[{"@type":"type.googleapis.com/envoy.admin.v3.ClustersConfigDump","dynamic_active_clusters":[{"cluster":{"name":"a"`, "unexpected end of JSON"},
		{"corrupted", `{"configs":[{"@type":"x"},{]}`, "config_dump.json: "},
		{"not a dump", `[1,2,3]`, "config_dump.json: "},
		{"deep", `{"configs":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `}`, "deep"},
		{"control character", "{\"configs\":[\"\x01\"]}", "control character"},
		{"trailing", `{"configs":[]} x`, "config_dump.json: "},
	}
	for _, b := range bad {
		t.Run(b.name, func(t *testing.T) {
			dir := program.SnapshotWith(t, b.dump)
			out, errs, code := program.Run(t, "--snapshot", dir, "-c", "[.proxies[] | .clusters | length] | length")
			if out != "6\n" || code != 6 {
				t.Errorf("printed %q, exit code %d", out, code)
			}
			if lines := strings.Split(strings.TrimSpace(errs), "\n"); len(lines) != 1 || !strings.HasPrefix(errs, program.Victim+": clusters: ") || !strings.Contains(errs, b.says) {
				t.Errorf("said %q, which is not one line with %q", errs, b.says)
			}
		})
	}
}

// TestUnusualDumpsAreRead checks that unusual but valid config dumps are read.
func TestUnusualDumpsAreRead(t *testing.T) {
	wrap := func(cluster string) string {
		return `{"configs":[{"@type":"type.googleapis.com/envoy.admin.v3.ClustersConfigDump","dynamic_active_clusters":[{"cluster":{"@type":"type.googleapis.com/envoy.config.cluster.v3.Cluster",` + cluster + `}}]}]}`
	}
	digits := strings.Repeat("7", 400)
	odd := []struct{ name, dump, query, want string }{
		{"invalid UTF-8", wrap(`"name":"a` + "\xff" + `b"`), ".clusters[0].name", "\"a\ufffdb\"\n"},
		{"duplicate keys", wrap(`"name":"first","name":"last"`), ".clusters[0].name", "\"last\"\n"},
		{"a long number", wrap(`"name":"a","per_connection_buffer_limit_bytes":` + digits), ".clusters[0].perConnectionBufferLimitBytes", digits + "\n"},
		{"a byte order mark", "\ufeff" + wrap(`"name":"a"`), ".clusters[0].name", "\"a\"\n"},
		{"an unknown type", wrap(`"name":"a","metadata":{"typed_filter_metadata":{"x_y":{"@type":"type.example.com/a.B","some_field":{"other_field":1}}}}`),
			".clusters[0].metadata.typedFilterMetadata", `{"x_y":{"@type":"type.example.com/a.B","some_field":{"other_field":1}}}` + "\n"},
	}
	for _, o := range odd {
		t.Run(o.name, func(t *testing.T) {
			dir := program.SnapshotWith(t, o.dump)
			out, errs, code := program.Run(t, "--snapshot", dir, "-c", `.proxy("`+program.Victim+`") | `+o.query)
			if out != o.want || code != 0 {
				t.Errorf("printed %.100q %s, exit code %d", out, errs, code)
			}
		})
	}
}

// TestBadArchivesAreRefused checks archives with paths outside of their
// directory, and truncated archives.
func TestBadArchivesAreRefused(t *testing.T) {
	dir := t.TempDir()
	escape := filepath.Join(dir, "escape.tar.gz")
	if err := os.WriteFile(escape, tarGz(t, "../../outside.json", "{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, errs, code := program.Run(t, "--snapshot", escape, ".proxies")
	if code != 2 || !strings.Contains(errs, "../../outside.json") {
		t.Errorf("exit code %d: %s", code, errs)
	}
	cut := filepath.Join(dir, "cut.tar.zst")
	if err := os.WriteFile(cut, demo.Archive[:len(demo.Archive)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	_, errs, code = program.Run(t, "--snapshot", cut, ".proxies | length")
	if code != 2 && code != 6 || len(strings.Split(strings.TrimSpace(errs), "\n")) != 1 {
		t.Errorf("exit code %d: %s", code, errs)
	}
}

func tarGz(t *testing.T, name, text string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(text)), Typeflag: tar.TypeReg})
	if err == nil {
		_, err = io.WriteString(w, text)
	}
	if err := errors.Join(err, w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
