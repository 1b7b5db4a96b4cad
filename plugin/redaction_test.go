package plugin

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// askedOf runs a command line on a terminal. The user answers the program's question
// with the text answer.
func askedOf(t *testing.T, answer string, args ...string) (errs string, code int) {
	t.Helper()
	var o, e bytes.Buffer
	w := &process.World{Args: append([]string{"kubectl-meshq"}, args...), In: strings.NewReader(answer), Out: &o, Err: &e, InTerminal: true, OutTerminal: true, ErrTerminal: true, Now: time.Now}
	code = Main(w)
	return e.String(), code
}

// TestRedactEnvoy checks that --redact envoy records Envoy's responses unredacted
// only after the user has confirmed it, on a terminal or by --yes.
func TestRedactEnvoy(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.tar.zst")
	base := []string{"snapshot", file, "--snapshot", "demo", "--redact", "envoy", "--force"}
	if _, errs, code := call(t, base...); code != process.ExitUsage || !strings.Contains(errs, "--yes") {
		t.Errorf("%d %s", code, errs)
	}
	for answer, want := range map[string]int{"y\n": process.ExitOK, "YES\n": process.ExitOK, "\n": process.ExitUsage, "n\n": process.ExitUsage, "": process.ExitUsage, "yesterday\n": process.ExitUsage} {
		errs, code := askedOf(t, answer, base...)
		_, err := os.Stat(file)
		if code != want || !strings.Contains(errs, "(y/N)") || (err == nil) != (code == process.ExitOK) {
			t.Errorf("%q: %d %s %v", answer, code, errs, err)
		}
		os.Remove(file)
	}
	if _, errs, code := call(t, append(base, "--yes")...); code != process.ExitOK || strings.Contains(errs, "redacted") {
		t.Errorf("%d %s", code, errs)
	}
	out, _, _ := call(t, "rejected", "--snapshot", file)
	if !strings.Contains(out, "bogus.filter") {
		t.Error(out)
	}
}

// TestRedactFlags checks that invalid options are refused before any request is
// sent.
func TestRedactFlags(t *testing.T) {
	dir := t.TempDir()
	key, short := filepath.Join(dir, "key"), filepath.Join(dir, "short")
	os.WriteFile(key, []byte("0123456789abcdef\n"), 0o600)
	os.WriteFile(short, []byte("0123456789\n"), 0o600)
	for _, c := range [][]string{
		{"--redact", "nothing"}, {"--redact", "envoy", "--keep", "details", "--yes"}, {"--yes"}, {"--keep", "private_key"}, {"--keep", "Secret:data"},
		{"--keep", "EnvVar:value"}, {"--keep", "nobodys"}, {"--keep", ""}, {"--redact-key", short}, {"--redact-key", filepath.Join(dir, "none")}, {"--redact-key", dir},
	} {
		file := filepath.Join(dir, "x.tar.zst")
		if _, errs, code := call(t, append([]string{"snapshot", file, "--snapshot", "demo"}, c...)...); code != process.ExitUsage || strings.Count(errs, "\n") != 1 {
			t.Errorf("%q: %d %s", c, code, errs)
		}
		if _, err := os.Stat(file); err == nil {
			t.Fatalf("%q: written", c)
		}
	}
}

// TestKeep checks that --keep leaves more fields unredacted, and that the manifest
// lists them.
func TestKeep(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.tar.zst")
	if _, errs, code := call(t, "snapshot", file, "--snapshot", "demo", "--keep", "details", "--keep", "SyncType:last_error"); code != process.ExitOK {
		t.Fatal(errs)
	}
	was, _, _ := call(t, "rejected", "--snapshot", "demo")
	is, _, _ := call(t, "rejected", "--snapshot", file)
	if was != is || !strings.Contains(is, "bogus.filter") {
		t.Error(is)
	}
	s, err := transport.Open(t.Context(), file, transport.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if m := s.Manifest(); !slices.Equal(m.Keep, []string{"details", "SyncType:last_error"}) {
		t.Errorf("%+v", m)
	}
}

// TestRedactKey checks that snapshots with the same key contain the same digests,
// and that those with different keys don't. A command with a key fails if the
// snapshot was made with another key.
func TestRedactKey(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	os.WriteFile(at("key"), []byte("0123456789abcdef\n"), 0o600)
	os.WriteFile(at("other"), []byte("fedcba9876543210\n"), 0o600)
	for _, c := range []struct{ file, key string }{{"a.tar.zst", "key"}, {"b.tar.zst", "key"}, {"c.tar.zst", "other"}, {"d.tar.zst", ""}} {
		args := []string{"snapshot", at(c.file), "--snapshot", "demo", "reviews-v1"}
		if c.key != "" {
			args = append(args, "--redact-key", at(c.key))
		}
		if _, errs, code := call(t, args...); code != process.ExitOK {
			t.Fatal(errs)
		}
	}
	read := func(name string) string {
		s, err := transport.Open(t.Context(), at(name), transport.OpenOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		body, err := s.Fetch(t.Context(), theReviews, "config_dump", mesh.Hint{})
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(io.NewSectionReader(body, 0, body.Size()))
		return string(text)
	}
	if read("a.tar.zst") != read("b.tar.zst") || read("a.tar.zst") == read("c.tar.zst") || read("a.tar.zst") == read("d.tar.zst") {
		t.Error("a key doesn't decide")
	}
	trace := func(file string) (string, int) {
		_, errs, code := call(t, "trace", "--snapshot", at(file), "reviews-v1", "http://ratings:9080/", "--redact-key", at("key"))
		return errs, code
	}
	if errs, code := trace("a.tar.zst"); code != process.ExitOK {
		t.Errorf("%d %s", code, errs)
	}
	for _, file := range []string{"c.tar.zst", "d.tar.zst"} {
		if errs, code := trace(file); code != process.ExitUsage || !strings.Contains(errs, "was recorded with another key, or with none") {
			t.Errorf("%s: %d %s", file, code, errs)
		}
	}
	against := func(args ...string) (string, string, int) {
		return call(t, append([]string{"diff", "reviews-v1", "--sections", "clusters,listeners"}, args...)...)
	}
	for _, c := range []struct {
		a, b    string
		unknown bool
	}{
		{at("a.tar.zst"), at("b.tar.zst"), false}, {at("d.tar.zst"), at("d.tar.zst"), false}, {"demo", "demo", false},
		{at("a.tar.zst"), at("c.tar.zst"), true}, {at("a.tar.zst"), at("d.tar.zst"), true}, {"demo", at("a.tar.zst"), true}, {at("d.tar.zst"), "demo", true},
	} {
		out, errs, code := against("--snapshot", c.a, "--against", c.b)
		want := process.ExitOK
		if c.unknown {
			want = process.ExitPartial
		}
		if code != want || out != "Clusters Match\nListeners Match\n" || c.unknown != strings.Contains(errs, c.b+": digests are of another key") {
			t.Errorf("%s against %s: %d %s%s", c.a, c.b, code, out, errs)
		}
	}
}
