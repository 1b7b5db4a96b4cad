//go:build unix

package binary

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/meshq/kubectl-meshq/test/program"
)

// values returns n JSON values, one per line. They are many times larger than a
// pipe or a buffer.
func values(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, "{\"i\":%d}\n", i)
	}
	return b.Bytes()
}

// overPipe runs the real binary with a pipe as standard input. It returns the
// output, and the bytes that the program left in the pipe.
func overPipe(t *testing.T, in []byte, args ...string) (out string, left []byte) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	go func() {
		defer w.Close()
		_, _ = w.Write(in) // an error is expected if the program doesn't read all input
	}()
	cmd := exec.Command(program.Built(t), args...)
	cmd.Stdin = r
	cmd.Env = append(os.Environ(), "MESHQ_LIBRARY_PATH=", "XDG_CONFIG_HOME="+t.TempDir())
	b, err := cmd.Output()
	if err != nil {
		t.Errorf("%q: %v", args, err)
	}
	left, err = io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b), left
}

// TestInputReadsEveryValue checks that an option which reads standard input
// gets all of it, even if another option reads a file.
func TestInputReadsEveryValue(t *testing.T) {
	const n = 100_000
	in := values(n)
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	count := file("count.jq", "[inputs] | length")
	last := file("last.jq", "select(.i == 99999) | .i")
	one := file("one.json", "1")
	for _, c := range []struct {
		want string
		args []string
	}{
		{"100000\n", []string{"--input", "-", "--null-input", "-f", count}},
		{"100000\n", []string{"--null-input", "-f", count}},
		{"100000\n", []string{"-f", count, "--input", "-", "--null-input", "--slurpfile", "a", one, "--rawfile", "b", one}},
		{"100000\n", []string{"--input", "-", "--slurp", "length"}},
		{"99999\n", []string{"--input", "-", "-f", last}},
	} {
		if out, _ := overPipe(t, in, c.args...); out != c.want {
			t.Errorf("%q: %q, want %q", c.args, out, c.want)
		}
	}
	query := append([]byte("# "), bytes.Repeat([]byte("x"), 200_000)...)
	if out, _ := overPipe(t, append(query, "\n1 + 1"...), "--null-input", "-f", "-"); out != "2\n" {
		t.Errorf("-f -: %q", out)
	}
	var dump bytes.Buffer
	dump.WriteString(`{"configs":[{"@type":"type.googleapis.com/envoy.admin.v3.ClustersConfigDump","dynamic_active_clusters":[`)
	for i := range 3000 {
		fmt.Fprintf(&dump, "%.*s{\"cluster\":{\"name\":\"c%d\",\"alt_stat_name\":\"%0100d\"}}", min(i, 1), ",", i, i)
	}
	dump.WriteString("]}]}")
	if out, _ := overPipe(t, dump.Bytes(), "--snapshot", "-", "-f", file("clusters.jq", ".proxies[0].clusters | length")); out != "3000\n" {
		t.Errorf("--snapshot -: %q", out)
	}
}

// TestInputIsLeftAlone checks that a run without an option "-" reads nothing
// from standard input. In a shell's "while read", for example, standard input
// belongs to the loop.
func TestInputIsLeftAlone(t *testing.T) {
	in := values(20_000)
	dir := t.TempDir()
	query, one := filepath.Join(dir, "q.jq"), filepath.Join(dir, "one.json")
	for path, text := range map[string]string{query: "1", one: "1"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"--snapshot", "demo", "-f", query},
		{"--input", one, "-f", query},
		{"--null-input", "-f", query},
		{"--null-input", "1"},
		{"--null-input", "--slurpfile", "a", one, "--rawfile", "b", one, "$a"},
		{"--snapshot", "demo", "status"},
		{"--snapshot", "demo", "trace", "productpage-v1", "http://reviews:9080/"},
		{"save", "kept", "-f", query},
	} {
		if _, left := overPipe(t, in, args...); !bytes.Equal(left, in) {
			t.Errorf("%q: took %d bytes of standard input", args, len(in)-len(left))
		}
	}
}
