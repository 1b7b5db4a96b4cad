package transport

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// TestLinksLeadNowhereElse checks that symbolic links inside a folder are followed
// and that links out of the folder are not.
func TestLinksLeadNowhereElse(t *testing.T) {
	outside := asFolder(t, map[string]string{"secret.json": "secret", "p/config_dump.json": "secret"})
	dir := asFolder(t, small())
	for link, target := range map[string]string{
		"proxies/" + web + "/certs.json": filepath.Join(outside, "secret.json"),
		"proxies/" + web + "/ready.txt":  "../../../" + filepath.Base(outside) + "/secret.json",
		"proxies/inner.default":          web,
		"proxies/outer.default":          filepath.Join(outside, "p"),
		"proxies/loop.default":           "loop.default",
		"proxies/none.default":           "nothing.here",
	} {
		if err := os.Symlink(target, filepath.Join(dir, filepath.FromSlash(link))); err != nil {
			t.Skip(err)
		}
	}
	s, err := Open(t.Context(), dir, OpenOptions{})
	must(t, err)
	defer s.Close()
	ids, err := s.Proxies(t.Context())
	if got := strings.Join(ids, " "); err != nil || got != gw+" inner.default loop.default outer.default "+web {
		t.Error(got, err)
	}
	if got, err := fetch(t, s, "inner.default", "stats"); err != nil || got != `{"stats":[]}` {
		t.Error(got, err)
	}
	for _, q := range [][2]string{{web, "certs"}, {web, "ready"}, {"outer.default", "config_dump"}, {"loop.default", "config_dump"}} {
		if got, err := fetch(t, s, q[0], q[1]); err == nil || errors.Is(err, fs.ErrNotExist) || got != "" || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v: %q, %v", q, got, err)
		}
	}
}

func TestWhatIsNoFile(t *testing.T) {
	dir := asFolder(t, small())
	must(t, os.Mkdir(filepath.Join(dir, "proxies", web, "certs.json"), 0o755))
	s, err := Open(t.Context(), dir, OpenOptions{})
	must(t, err)
	defer s.Close()
	if _, err := fetch(t, s, web, "certs"); err == nil || err.Error() != "not a regular file" {
		t.Error(err)
	}
	pipe := filepath.Join(dir, "proxies", web, "server_info.json")
	if err := exec.CommandContext(t.Context(), "mkfifo", pipe).Run(); err != nil {
		t.Skip(err)
	}
	if _, err := fetch(t, s, web, "server_info"); err == nil || err.Error() != "not a regular file" {
		t.Error(err)
	}
	must(t, exec.CommandContext(t.Context(), "mkfifo", filepath.Join(dir, "proxies", "a.b")).Run())
	if ids, err := s.Proxies(t.Context()); err != nil || len(ids) != 2 {
		t.Error(ids, err)
	}
}

// TestAPipeByName checks that a named pipe can be opened, as a shell creates one
// for <(…).
func TestAPipeByName(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := exec.CommandContext(t.Context(), "mkfifo", path).Run(); err != nil {
		t.Skip(err)
	}
	go func() {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err == nil {
			_, _ = f.Write(asGzip(t, asTar(t, "", small())))
			f.Close()
		}
	}()
	s, err := Open(t.Context(), path, OpenOptions{})
	must(t, err)
	defer s.Close()
	checkSmall(t, s)
}

// TestManyFilesFewOpen checks that a source with many proxies keeps only a few
// files open, and that all bodies can still be read.
func TestManyFilesFewOpen(t *testing.T) {
	files := map[string]string{}
	for i := range 4 * maxHandles {
		files[fmt.Sprintf("proxies/web-%d.default/config_dump.json", i)] = fmt.Sprint(i)
	}
	s, err := Open(t.Context(), asFolder(t, files), OpenOptions{})
	must(t, err)
	var bodies []*Body
	for i := range 4 * maxHandles {
		b, err := s.Fetch(t.Context(), fmt.Sprintf("web-%d.default", i), "config_dump", mesh.Hint{})
		must(t, err)
		bodies = append(bodies, b)
	}
	for i, b := range bodies {
		if got := text(t, b, nil); got != fmt.Sprint(i) {
			t.Errorf("%d: %s", i, got)
		}
	}
	if n := len(s.(*snapshot).tree.(*folder).handles); n > maxHandles {
		t.Errorf("%d files are open", n)
	}
	must(t, s.Close())
	if _, err := read(bodies[0], nil); err == nil {
		t.Error("read after Close")
	}
}

// TestAFileThatChanges checks that reading a file returns an error after the file
// has changed, since stored offsets are no longer valid.
func TestAFileThatChanges(t *testing.T) {
	files := small()
	dir := asFolder(t, files)
	s, err := Open(t.Context(), dir, OpenOptions{})
	must(t, err)
	defer s.Close()
	b, err := s.Fetch(t.Context(), web, "config_dump", mesh.Hint{})
	must(t, err)
	for i := range maxHandles + 1 { // read so many other files that the changed file is closed
		name := fmt.Sprintf("%d.json", i)
		must(t, os.WriteFile(filepath.Join(dir, "kubernetes", name), []byte("{}"), 0o644))
		c, err := s.List(t.Context(), strings.TrimSuffix(name, ".json"))
		text(t, c, err)
	}
	path := filepath.Join(dir, "proxies", web, "config_dump.json")
	must(t, os.Remove(path))
	must(t, os.WriteFile(path, []byte("{}"), 0o644))
	if _, err := read(b, nil); err == nil || err.Error() != "changed while it was read" {
		t.Error(err)
	}
	if got, err := fetch(t, s, web, "config_dump"); err != nil || got != "{}" {
		t.Error(got, err) // a new request must return the file's current content
	}
}

// TestALargeFileCostsNothing checks that opening a file of 300 MB needs little
// memory, in every form that can be read without a copy.
func TestALargeFileCostsNothing(t *testing.T) {
	const size = 300 << 20
	dir := asFolder(t, map[string]string{"proxies/web-1.default/config_dump.json": `{"configs":"`})
	path := filepath.Join(dir, "proxies", "web-1.default", "config_dump.json")
	if err := os.Truncate(path, size); err != nil {
		t.Skip(err)
	}
	tarred := filepath.Join(t.TempDir(), "x.tar")
	header := asTar(t, "", map[string]string{"proxies/web-1.default/config_dump.json": ""})[:512]
	copy(header[124:], "02260000000\x00") // 300 MB as an octal number
	copy(header[148:], "        ")
	sum := 0
	for _, c := range header {
		sum += int(c)
	}
	copy(header[148:], fmt.Sprintf("%06o\x00 ", sum))
	must(t, os.WriteFile(tarred, header, 0o644))
	must(t, os.Truncate(tarred, 512+size+1024))
	for _, path := range []string{dir, path, tarred} {
		grown := allocated(func() {
			s, err := Open(t.Context(), path, OpenOptions{MaxMemory: -1, TempDir: "/nonexistent"})
			must(t, err)
			defer s.Close()
			if f := s.Faults(); len(f) > 1 { // one fault is expected, because the manifest is missing
				t.Error(faults(s))
			}
			ids, err := s.Proxies(t.Context())
			if err != nil || len(ids) != 1 {
				t.Fatal(ids, err)
			}
			b, err := s.Fetch(t.Context(), ids[0], "config_dump", mesh.Hint{})
			must(t, err)
			tail := make([]byte, 100)
			if n, err := b.ReadAt(tail, size-100); n != 100 || err != nil && n < 100 || b.Size() != size {
				t.Error(n, err, b.Size())
			}
		})
		if grown > 1<<20 {
			t.Errorf("%s: %d KB allocated", path, grown>>10)
		}
	}
}
