package transport

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// hostileTar returns an archive of the small snapshot. The given entries are
// inserted before, between and after its files.
func hostileTar(t testing.TB, entries ...tar.Header) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	files := small()
	for i, name := range slices.Sorted(maps.Keys(files)) {
		for j := range entries {
			if j%3 == i {
				h := entries[j]
				addEntry(t, w, &h, strings.Repeat("z", int(h.Size)))
			}
		}
		addEntry(t, w, &tar.Header{Name: name, Typeflag: tar.TypeReg}, files[name])
	}
	must(t, w.Close())
	return b.Bytes()
}

func TestHostileEntries(t *testing.T) {
	for _, c := range []struct {
		entry tar.Header
		want  string
	}{
		{tar.Header{Name: "../evil", Typeflag: tar.TypeReg}, "../evil: refused: the name leads outside"},
		{tar.Header{Name: "proxies/../../evil", Typeflag: tar.TypeReg, Size: 9}, "proxies/../../evil: refused: the name leads outside"},
		{tar.Header{Name: "proxies/..", Typeflag: tar.TypeReg, Size: 9}, "proxies/..: refused: the name leads outside"},
		{tar.Header{Name: "/etc/passwd", Typeflag: tar.TypeReg}, "/etc/passwd: refused: an absolute name"},
		{tar.Header{Name: "C:evil", Typeflag: tar.TypeReg}, "C:evil: refused: an absolute name"},
		{tar.Header{Name: `proxies\evil`, Typeflag: tar.TypeReg}, `proxies\evil: refused: a backslash in the name`},
		{tar.Header{Name: "proxies/link", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}, "proxies/link: refused: a symbolic link to /etc/passwd"},
		{tar.Header{Name: "manifest.json", Typeflag: tar.TypeLink, Linkname: "../x"}, "manifest.json: refused: a hard link to ../x"},
		{tar.Header{Name: "dev/null", Typeflag: tar.TypeChar}, "dev/null: refused: a device"},
		{tar.Header{Name: "dev/sda", Typeflag: tar.TypeBlock}, "dev/sda: refused: a device"},
		{tar.Header{Name: "pipe", Typeflag: tar.TypeFifo}, "pipe: refused: a named pipe"},
		{tar.Header{Name: "odd", Typeflag: 'Z'}, `odd: refused: an entry of type "Z"`},
		{tar.Header{Name: "a\x1b[31m\nb/../..", Typeflag: tar.TypeReg}, `"a\x1b[31m\nb/../..": refused: the name leads outside`},
		{tar.Header{Name: strings.Repeat("n", 5000), Typeflag: tar.TypeReg}, strings.Repeat("n", 100) + "…: refused: a name of 5000 bytes"},
		{tar.Header{Name: "large", Typeflag: tar.TypeReg, Size: 250_000}, "large: refused: 244.1 KiB, more than 195.3 KiB"},
	} {
		plain := hostileTar(t, c.entry)
		for form, b := range map[string][]byte{"tar": plain, "gzip": asGzip(t, plain), "zstd": asZstd(t, plain)} {
			if form == "tar" && c.entry.Name == "large" {
				continue // a tar archive may contain a large file, because the file isn't copied
			}
			dir := t.TempDir()
			s, err := OpenBytes(t.Context(), "x", b, OpenOptions{MaxMember: 200_000, MaxMemory: -1, TempDir: dir})
			must(t, err)
			if got := faults(s); got != "x: "+c.want {
				t.Errorf("%s: %s\nwant %s", form, got, c.want)
			}
			rest := *s.(*snapshot)
			rest.faults = nil
			checkSmall(t, &rest)
			if left, err := os.ReadDir(dir); err != nil || len(left) > 0 && runtime.GOOS != "windows" {
				t.Errorf("%s: written: %v, %v", form, left, err)
			}
			must(t, s.Close())
		}
	}
}

// TestNamesWithNUL checks that a tar name ends at a NUL, and that a PAX record
// that contains a NUL counts as damage.
func TestNamesWithNUL(t *testing.T) {
	b := hostileTar(t, tar.Header{Name: "proxies/evil", Typeflag: tar.TypeReg, PAXRecords: map[string]string{"comment": "0123456789abc"}})
	i := bytes.Index(b, []byte("comment=0123456789abc"))
	copy(b[i:], "path=a/../\x00../b/evil12")
	s, err := OpenBytes(t.Context(), "x", b, OpenOptions{})
	if err == nil || s != nil || err.Error() != "x: archive/tar: invalid tar header" {
		t.Error(s, err)
	}
	if _, err := entryName("a\x00b"); err == nil {
		t.Error("a NUL in a name")
	}
}

func TestManyRefused(t *testing.T) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for i := range 1000 {
		addEntry(t, w, &tar.Header{Name: fmt.Sprintf("../%d", i), Typeflag: tar.TypeReg}, "")
	}
	addEntry(t, w, &tar.Header{Name: "manifest.json", Typeflag: tar.TypeReg}, small()["manifest.json"])
	must(t, w.Close())
	s := openAll(t, b.Bytes(), OpenOptions{})
	got := s.Faults()
	if len(got) != maxRefused+1 || got[maxRefused].Error() != "x: 980 more entries refused" {
		t.Error(faults(s))
	}
}

func TestTheLastOfANameWins(t *testing.T) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, body := range []string{"first", "second", "last"} {
		addEntry(t, w, &tar.Header{Name: "./pilots/a.b//version.txt", Typeflag: tar.TypeReg}, body)
	}
	must(t, w.Close())
	var ours bytes.Buffer
	o, err := NewWriter(&ours, taken)
	must(t, err)
	for _, body := range []string{"first", "last"} {
		must(t, o.Add("pilots/a.b/version.txt", int64(len(body)), strings.NewReader(body)))
	}
	must(t, o.Close())
	for _, b := range [][]byte{b.Bytes(), asGzip(t, b.Bytes()), ours.Bytes()} {
		body, err := openAll(t, b, OpenOptions{}).Pilot(t.Context(), "a.b", "version")
		if got := text(t, body, err); got != "last" {
			t.Error(got)
		}
	}
}

func TestLimits(t *testing.T) {
	zeros := map[string]string{"pilots/a.b/syncz.json": strings.Repeat("\x00", 3<<20)}
	var many bytes.Buffer
	w := tar.NewWriter(&many)
	for i := range 300 {
		addEntry(t, w, &tar.Header{Name: fmt.Sprintf("pilots/%d/x", i%7), Typeflag: tar.TypeReg}, "")
	}
	must(t, w.Close())
	for _, c := range []struct {
		name, want string
		b          []byte
		o          OpenOptions
	}{
		{"total", "x: unpacks to more than 1 MiB", asTar(t, "", zeros), OpenOptions{MaxUnpacked: 1 << 20}},
		{"dump", "x: unpacks to more than 1 MiB", []byte(`{"configs":"` + strings.Repeat("a", 3<<20)), OpenOptions{MaxUnpacked: 1 << 20}},
		{"skipped counts", "x: unpacks to more than 1 MiB", asTar(t, "", zeros), OpenOptions{MaxUnpacked: 1 << 20, MaxMember: 10}},
		{"folders", "x: more than 20 folders", asTar(t, "", map[string]string{"a/b/c/d/e/f/1": "", "g/h/i/j/k/l/1": "", "m/n/o/p/q/r/1": "", "s/t/u/v/w/x/1": ""}), OpenOptions{MaxEntries: 20}},
		{"entries", "x: more than 299 entries", many.Bytes(), OpenOptions{MaxEntries: 299}},
	} {
		for form, b := range map[string][]byte{"gzip": asGzip(t, c.b), "zstd": asZstd(t, c.b)} {
			dir := t.TempDir()
			c.o.TempDir = dir
			for _, c.o.MaxMemory = range []int64{0, -1} {
				_, err := OpenBytes(t.Context(), "x", b, c.o)
				if err == nil || err.Error() != c.want {
					t.Errorf("%s %s: %v", c.name, form, err)
				}
			}
			_, err := Open(t.Context(), "-", OpenOptions{Stdin: bytes.NewReader(b), MaxUnpacked: c.o.MaxUnpacked, MaxEntries: c.o.MaxEntries, MaxMember: c.o.MaxMember})
			if err == nil || err.Error() != "stdin"+c.want[1:] {
				t.Errorf("%s %s: %v", c.name, form, err)
			}
			if left, _ := os.ReadDir(dir); len(left) > 0 {
				t.Errorf("%s: left behind: %v", c.name, left)
			}
		}
	}
	ours := openAll(t, asOurs(t, zeros), OpenOptions{MaxUnpacked: 1 << 20})
	if _, err := ours.Pilot(t.Context(), "a.b", "syncz"); err == nil || err.Error() != "unpacks to more than 1 MiB" {
		t.Error(err)
	}
	zeros["pilots/a.b/adsz.json"] = "{}"
	ours = openAll(t, asOurs(t, zeros), OpenOptions{MaxMember: 1 << 20})
	if _, err := ours.Pilot(t.Context(), "a.b", "syncz"); err == nil || err.Error() != "refused: 3 MiB, more than 1 MiB" {
		t.Error(err)
	}
	if got := faults(ours); !strings.HasPrefix(got, "x: pilots/a.b/syncz.json: refused: 3 MiB, more than 1 MiB\n") {
		t.Error(got)
	}
}

// TestABombCostsNoMemory checks that unpacking 1 GB of zeros from a few KB needs
// little memory.
func TestABombCostsNoMemory(t *testing.T) {
	var b bytes.Buffer
	w, err := NewWriter(&b, taken)
	must(t, err)
	must(t, w.Add("pilots/a.b/syncz.json", 1<<30, io.LimitReader(zeroReader{}, 1<<30)))
	must(t, w.Close())
	sequential := b.Bytes()[:b.Len()-1] // without the last byte of its index, the archive is read from the beginning
	dir := t.TempDir()
	grown := allocated(func() {
		_, err := OpenBytes(t.Context(), "x", sequential, OpenOptions{TempDir: dir, MaxUnpacked: 512 << 20})
		if err == nil || err.Error() != "x: unpacks to more than 512 MiB" {
			t.Error(err)
		}
	})
	if grown > defaultMemory+16<<20 {
		t.Errorf("%d MB allocated", grown>>20)
	}
}

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// serves returns how many files of the small snapshot a source has. It checks
// the content of each file.
func serves(t *testing.T, s Source) (whole int) {
	t.Helper()
	tree := s.(*snapshot).tree
	for name, want := range small() {
		b, err := tree.open(t.Context(), name)
		if err != nil {
			continue
		}
		all, err := io.ReadAll(io.NewSectionReader(b, 0, b.Size()))
		if err != nil || string(all) != want {
			t.Errorf("%s is not what it was: %v", name, err)
		}
		whole++
	}
	return whole
}

// TestCutShort truncates archives at many offsets. Each file must then be
// complete or be reported as missing.
func TestCutShort(t *testing.T) {
	files := small()
	plain := asTar(t, "", files)
	for form, b := range map[string][]byte{"tar": plain, "gzip": asGzip(t, plain), "zstd": asZstd(t, plain), "ours": asOurs(t, files)} {
		opened := 0
		for n := 0; n < len(b); n += max(1, len(b)/150) {
			s, err := OpenBytes(t.Context(), "x", b[:n], OpenOptions{})
			if err != nil {
				if strings.Contains(err.Error(), "\n") || !strings.HasPrefix(err.Error(), "x: ") {
					t.Errorf("%s %d: %q", form, n, err)
				}
				continue
			}
			opened++
			if whole := serves(t, s); whole < len(files) && len(s.Faults()) == 0 {
				t.Errorf("%s %d of %d: %d of %d files and no fault", form, n, len(b), whole, len(files))
			}
			s.Close()
		}
		if opened < 20 && form != "zstd" { // with zstd, all files are in one block
			t.Errorf("%s: only %d opened", form, opened)
		}
	}
	s := openAll(t, plain[:len(plain)-1024-512], OpenOptions{})
	if got := faults(s); !strings.HasPrefix(got, "x: damaged at proxies/web-1.default/stats.json, what follows is lost: it ends in the middle") {
		t.Error(got)
	}
	_, err := s.Fetch(t.Context(), web, "stats", mesh.Hint{})
	if err == nil || err.Error() != "cut short in the archive: unexpected EOF" {
		t.Error(err)
	}
	_, err = s.Fetch(t.Context(), web, "certs", mesh.Hint{})
	if !errors.Is(err, os.ErrNotExist) || err.Error() != "not in the snapshot: the archive is damaged" {
		t.Error(err)
	}
	s = openAll(t, plain[:len(plain)-1024], OpenOptions{})
	if got := faults(s); got != "x: damaged at proxies/web-1.default/stats.json, what follows is lost: the end mark of the archive is missing" || serves(t, s) != len(files) {
		t.Error(got)
	}
}

// TestDamaged changes bytes of archives that have checksums. Each file must then
// be correct or return an error, or the source must report damage.
func TestDamaged(t *testing.T) {
	files := small()
	plain := asTar(t, "", files)
	for form, b := range map[string][]byte{"gzip": asGzip(t, plain), "zstd": asZstd(t, plain), "ours": asOurs(t, files)} {
		rnd := rand.New(rand.NewPCG(1, 2))
		noticed := 0
		for range 250 {
			bad := bytes.Clone(b)
			bad[rnd.IntN(len(bad))] ^= byte(1 + rnd.IntN(255))
			s, err := OpenBytes(t.Context(), "x", bad, OpenOptions{MaxMemory: 4 << 20, TempDir: t.TempDir()})
			if err != nil {
				noticed++
				continue
			}
			if len(s.Faults()) > 0 {
				noticed++
			} else if serves(t, s) < len(files) {
				noticed++
				if form != "ours" {
					t.Errorf("%s: files are gone without a fault", form)
				}
			}
			s.Close()
		}
		if noticed < 125 {
			t.Errorf("%s: only %d of 250 noticed", form, noticed)
		}
	}
}

// TestDamagedLiterals changes bytes in a way that doesn't prevent unpacking. Only
// the checksum of the frame can reveal the damage.
func TestDamagedLiterals(t *testing.T) {
	const name = "pilots/a.b/version.txt"
	want := noise(1, 3000)
	b := asOurs(t, map[string]string{name: want})
	entries, _ := readIndex(bytes.NewReader(b), 1)
	for i := range entries[0].packed - 4 {
		bad := bytes.Clone(b)
		bad[i] ^= 0x10
		s, err := OpenBytes(t.Context(), "x", bad, OpenOptions{})
		if err != nil {
			continue
		}
		if got, err := read(s.Pilot(t.Context(), "a.b", "version")); err == nil && got != want {
			t.Fatalf("byte %d: not noticed", i)
		}
		s.Close()
	}
}

// TestACutRepetition checks that the second of two files with the same name is
// used, even if it is truncated.
func TestACutRepetition(t *testing.T) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, body := range []string{"first", strings.Repeat("second", 1000)} {
		addEntry(t, w, &tar.Header{Name: "pilots/a.b/version.txt", Typeflag: tar.TypeReg}, body)
		addEntry(t, w, &tar.Header{Name: "manifest.json", Typeflag: tar.TypeReg}, small()["manifest.json"])
	}
	must(t, w.Close())
	s := openAll(t, b.Bytes()[:4000], OpenOptions{})
	if got, err := read(s.Pilot(t.Context(), "a.b", "version")); err == nil || err.Error() != "cut short in the archive: unexpected EOF" {
		t.Error(got, err)
	}
}

// TestWrongChecksum checks that Open verifies the checksum after the last file.
func TestWrongChecksum(t *testing.T) {
	b := asGzip(t, asTar(t, "", small()))
	b[len(b)-6] ^= 1
	s := openAll(t, b, OpenOptions{})
	if got := faults(s); got != "x: damaged, any of its files may be wrong: gzip: invalid checksum" {
		t.Error(got)
	}
}

// TestSparse checks that sparse files are refused in both formats that tar has for
// them. The size of a sparse file isn't the number of its stored bytes.
func TestSparse(t *testing.T) {
	if _, err := exec.LookPath("tar"); err != nil {
		t.Skip(err)
	}
	dir := asFolder(t, map[string]string{"pilots/a.b/syncz.json": "[]"})
	f, err := os.Create(filepath.Join(dir, "pilots", "a.b", "sparse.json"))
	must(t, err)
	must(t, f.Truncate(50<<20))
	must(t, f.Close())
	for _, format := range []string{"gnu", "pax"} {
		var out bytes.Buffer
		c := exec.CommandContext(t.Context(), "tar", "-c", "-S", "--format="+format, "-C", dir, ".")
		c.Stdout = &out
		if err := c.Run(); err != nil || out.Len() > 1<<20 {
			t.Skip("this tar writes no sparse files:", err)
		}
		for _, b := range [][]byte{out.Bytes(), asGzip(t, out.Bytes())} {
			if got := faults(openAll(t, b, OpenOptions{})); !strings.Contains(got, "/sparse.json: refused: a sparse file") {
				t.Error(format, got)
			}
		}
	}
}

// TestCancelled checks that unpacking stops when the context has ended.
func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s, err := OpenBytes(ctx, "x", asOurs(t, small()), OpenOptions{})
	must(t, err)
	defer s.Close()
	cancel()
	if _, err := s.Fetch(ctx, web, "config_dump", mesh.Hint{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := fetch(t, s, web, "config_dump"); err != nil {
		t.Error("a load that was given up can't be had again:", err)
	}
	for _, b := range [][]byte{asTar(t, "", small()), asGzip(t, asTar(t, "", small()))} {
		if _, err := OpenBytes(ctx, "x", b, OpenOptions{}); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
}
