package transport

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"github.com/meshq/kubectl-meshq/sources/decode"
)

// TestTarReadsOurArchive checks that the programs tar and zstd can read an archive
// that Writer has written.
func TestTarReadsOurArchive(t *testing.T) {
	for _, program := range []string{"tar", "zstd"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip(err)
		}
	}
	files := small()
	files["proxies/"+strings.Repeat("long.", 45)+"default/config_dump.json"] = "{}" // tar needs a PAX header for such a long name
	files["proxies/empty.default/config_dump.json"] = ""
	files["proxies/block.default/config_dump.json"] = strings.Repeat("b", 1024)
	archive, dir := asFile(t, asOurs(t, files)), t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "tar", "--zstd", "-xf", archive, "-C", dir).CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("tar: %v: %s", err, out)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil || string(got) != want {
			t.Errorf("%s: %v", name, err)
		}
		info, err := os.Stat(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil || !info.ModTime().Equal(taken) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if out, err := exec.CommandContext(t.Context(), "zstd", "-tq", archive).CombinedOutput(); err != nil {
		t.Errorf("zstd: %v: %s", err, out)
	}
}

func TestWriterErrors(t *testing.T) {
	var b bytes.Buffer
	w, err := NewWriter(&b, taken)
	must(t, err)
	for _, name := range []string{"", ".", "../a", "/a", "a/", "./a", "a//b", `a\b`, "a\x00", "a/../b"} {
		if err := w.Add(name, 1, strings.NewReader("x")); err == nil || !strings.HasSuffix(err.Error(), ": no name for a file of a snapshot") {
			t.Errorf("%q: %v", name, err)
		}
	}
	// this error is only about a name, so the archive can be continued
	must(t, w.Add("manifest.json", 2, strings.NewReader("{}")))
	for _, c := range []struct {
		r    io.Reader
		want string
	}{
		{strings.NewReader("too long"), "f: has more than the 3 bytes announced"},
		{strings.NewReader("no"), "f: has 2 bytes, not the 3 announced"},
		{io.MultiReader(strings.NewReader("n"), failing{}), "f: the wire broke"},
	} {
		w, err := NewWriter(&b, taken)
		must(t, err)
		for range 2 { // every later call returns the same error
			if err := w.Add("f", 3, c.r); err == nil || err.Error() != c.want {
				t.Errorf("%v, want %s", err, c.want)
			}
		}
		if err := w.Close(); err == nil || err.Error() != c.want {
			t.Error(err)
		}
	}
	must(t, w.Close())
	if err := w.Add("g", 0, strings.NewReader("")); err == nil || err.Error() != "the archive is closed" {
		t.Error(err)
	}
	if w.Close() == nil {
		t.Error("closed twice")
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error)    { return 0, errors.New("the wire broke") }
func (failing) Write(p []byte) (int, error) { return 0, errors.New("the disk is full") }

func TestWriterToAFullDisk(t *testing.T) {
	w, err := NewWriter(failing{}, taken)
	must(t, err)
	if err := w.Add("a", 1, strings.NewReader("x")); err == nil || !strings.Contains(err.Error(), "the disk is full") {
		t.Error(err)
	}
}

// counted provides the bytes of an archive and counts those that are read.
type counted struct {
	*bytes.Reader
	n atomic.Int64
}

func (c *counted) ReadAt(b []byte, off int64) (int, error) {
	c.n.Add(int64(len(b)))
	return c.Reader.ReadAt(b, off)
}

// noise returns a text that doesn't compress well.
func noise(seed uint64, n int) string {
	rnd := rand.New(rand.NewPCG(seed, 1))
	b := make([]byte, n)
	for i := range b {
		b[i] = "0123456789abcdef"[rnd.IntN(16)]
	}
	return string(b)
}

// TestOneFileWithoutTheRest checks that reading one file of an archive of 400
// proxies reads only a few bytes of the archive.
func TestOneFileWithoutTheRest(t *testing.T) {
	files := map[string]string{"manifest.json": small()["manifest.json"]}
	for i := range 400 {
		files[fmt.Sprintf("proxies/web-%d.default/config_dump.json", i)] = noise(uint64(i), 40_000)
	}
	b := asOurs(t, files)
	raw := &counted{Reader: bytes.NewReader(b)}
	in := newInput("x", OpenOptions{})
	in.raw = raw
	s, err := in.open(t.Context())
	must(t, err)
	defer s.Close()
	ids, err := s.Proxies(t.Context())
	if err != nil || len(ids) != 400 {
		t.Fatal(len(ids), err)
	}
	opened := raw.n.Load()
	if opened > 100_000 { // opening reads the first 64 KB, the index and the manifest
		t.Errorf("%d of %d bytes read to open it", opened, len(b))
	}
	got, err := fetch(t, s, "web-217.default", "config_dump")
	if err != nil || got != files["proxies/web-217.default/config_dump.json"] {
		t.Error(err)
	}
	if one := raw.n.Load() - opened; one > 30_000 {
		t.Errorf("%d of %d bytes read for one file", one, len(b))
	}
	before := raw.n.Load()
	if _, err := fetch(t, s, "web-217.default", "config_dump"); err != nil || raw.n.Load() != before {
		t.Error("unpacked twice", err)
	}
}

// TestFilesAtOnce reads all files from many goroutines, so that the race detector
// can find races.
func TestFilesAtOnce(t *testing.T) {
	files := map[string]string{}
	for i := range 40 {
		files[fmt.Sprintf("proxies/web-%d.default/config_dump.json", i)] = noise(uint64(i), 5000+i)
	}
	folder, err := Open(t.Context(), asFolder(t, files), OpenOptions{})
	must(t, err)
	defer folder.Close()
	ours := asOurs(t, files)
	for name, s := range map[string]Source{
		"memory": openAll(t, ours, OpenOptions{}),
		"file":   openAll(t, ours, OpenOptions{MaxMemory: -1, TempDir: t.TempDir()}),
		"both":   openAll(t, ours, OpenOptions{MaxMemory: 100_000, TempDir: t.TempDir()}),
		"gzip":   openAll(t, asGzip(t, asTar(t, "", files)), OpenOptions{}),
		"tar":    openAll(t, asTar(t, "", files), OpenOptions{}),
		"folder": folder,
	} {
		var wait sync.WaitGroup
		for worker := range 8 {
			wait.Go(func() {
				for i := range 40 {
					id := fmt.Sprintf("web-%d.default", (i*7+worker)%40)
					if got, err := fetch(t, s, id, "config_dump"); err != nil || got != files["proxies/"+id+"/config_dump.json"] {
						t.Errorf("%s: %s: %v", name, id, err)
					}
				}
			})
		}
		wait.Wait()
	}
}

func TestIndexRoundTrip(t *testing.T) {
	entries := []indexEntry{
		{"manifest.json", 0, 10, 5, taken},
		{"a/b", 10, 1 << 40, 1 << 50, taken.AddDate(-100, 0, 0)},
		{strings.Repeat("n", 1024), 1<<40 + 20, 1, 0, taken},
	}
	start := int64(1<<40 + 21)
	frame, err := appendIndex(nil, entries, start)
	must(t, err)
	got, ok := readIndex(&shifted{bytes.NewReader(frame), start}, 3)
	if d := cmp.Diff(entries, got, cmp.AllowUnexported(indexEntry{})); d != "" || !ok {
		t.Error(ok, d)
	}
	if _, ok := readIndex(&shifted{bytes.NewReader(frame), start}, 2); ok {
		t.Error("more entries than allowed")
	}
	if _, ok := readIndex(&shifted{bytes.NewReader(frame), start + 1}, 3); ok {
		t.Error("an index that is of another archive")
	}
}

// A shifted provides the bytes of an archive from an offset on. Reading before
// that offset is an error.
type shifted struct {
	r  *bytes.Reader
	by int64
}

func (s *shifted) Size() int64 { return s.by + s.r.Size() }
func (s *shifted) ReadAt(b []byte, off int64) (int, error) {
	if off < s.by {
		return 0, errors.New("nothing is there")
	}
	return s.r.ReadAt(b, off-s.by)
}

var _ decode.Bytes = (*shifted)(nil)

// TestALyingIndex opens archives whose index is well-formed but wrong. Each file
// must be returned with the right name and content, or not at all.
func TestALyingIndex(t *testing.T) {
	files := small()
	b := asOurs(t, files)
	entries, ok := readIndex(bytes.NewReader(b), 100)
	if !ok || len(entries) != len(files) {
		t.Fatal("no index")
	}
	start := int64(len(b)) - int64(len(b[bytes.LastIndex(b, binary.LittleEndian.AppendUint32(nil, indexMagic)):]))
	for name, lie := range map[string]func(e []indexEntry){
		"names swapped": func(e []indexEntry) { e[2].name, e[3].name = e[3].name, e[2].name },
		"size":          func(e []indexEntry) { e[4].size++ },
		"smaller":       func(e []indexEntry) { e[4].size-- },
		"enormous":      func(e []indexEntry) { e[4].size = 1 << 40 },
		"short frame":   func(e []indexEntry) { e[5].packed-- },
		"wrong frame":   func(e []indexEntry) { e[6].off++; e[6].packed-- },
		"outside":       func(e []indexEntry) { e[1].name = "../../etc/passwd" },
		"next one's too": func(e []indexEntry) {
			e[len(e)-2].packed += e[len(e)-1].packed
			e[len(e)-1].off, e[len(e)-1].packed = start-1, 1
		},
	} {
		lies := slices.Clone(entries)
		lie(lies)
		bad, err := appendIndex(bytes.Clone(b[:start]), lies, start)
		must(t, err)
		s, err := OpenBytes(t.Context(), "x", bad, OpenOptions{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if whole := serves(t, s); whole >= len(files) {
			t.Errorf("%s: not noticed", name)
		}
		s.Close()
	}
	// An index that isn't valid for the archive is ignored.
	for name, bad := range map[string][]byte{
		"appended":  append([]byte("\x50\x2a\x4d\x18\x00\x00\x00\x00"), b...),
		"trailing":  append(bytes.Clone(b), "\x50\x2a\x4d\x18\x00\x00\x00\x00"...),
		"two files": append(bytes.Clone(asOurs(t, nil)), b...),
	} {
		s, err := OpenBytes(t.Context(), "x", bad, OpenOptions{})
		if name == "two files" { // a tar reader stops at the first end mark
			if err == nil || err.Error() != "x: an empty archive" {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		must(t, err)
		checkSmall(t, s)
		s.Close()
	}
}

// TestFramesTellTheirSize checks that unpacking a small file needs little memory,
// because its frame contains its size.
func TestFramesTellTheirSize(t *testing.T) {
	b := asOurs(t, map[string]string{"large": noise(1, 500_000)})
	var h zstd.Header
	must(t, h.Decode(b))
	if !h.HasFCS || h.FrameContentSize != 512+(500_000+511)/512*512 || h.WindowSize > 1<<20 && !h.SingleSegment {
		t.Errorf("%+v", h)
	}
	b = asOurs(t, map[string]string{"manifest.json": "{}"})
	must(t, h.Decode(b))
	if !h.HasFCS || h.FrameContentSize != 1024 || h.WindowSize > 64<<10 && !h.SingleSegment {
		t.Errorf("%+v", h)
	}
	z, err := zstd.NewReader(bytes.NewReader(b))
	must(t, err)
	defer z.Close()
	if head, err := tar.NewReader(z).Next(); err != nil || head.Name != "manifest.json" {
		t.Error(head, err)
	}
}
