package transport

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
)

func spooled(t *testing.T, d *Depot, text string) *Spool {
	t.Helper()
	s := d.Spool()
	if _, err := io.Copy(s, strings.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	s.Trim()
	return s
}

func unspooled(t *testing.T, s *Spool) string {
	t.Helper()
	b, err := io.ReadAll(io.NewSectionReader(s, 0, s.Size()))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// What is given back is used again, in memory and in the file, and never by
// two.
func TestSpools(t *testing.T) {
	d := NewDepot(OpenOptions{TempDir: t.TempDir(), MaxMemory: pieceSize})
	defer d.Close()
	text := func(c string, n int) string { return strings.Repeat(c, n) }
	small := spooled(t, d, text("s", 10)) // in memory
	large := spooled(t, d, text("l", 3*pieceSize+1))
	other := spooled(t, d, text("o", pieceSize/2))
	if d.tail != 5*pieceSize {
		t.Errorf("the file has %d bytes", d.tail)
	}
	large.Discard()
	if large.Size() != 0 {
		t.Errorf("%d bytes are left", large.Size())
	}
	again := spooled(t, d, text("a", 4*pieceSize))
	if d.tail != 5*pieceSize {
		t.Errorf("the file grew to %d bytes", d.tail)
	}
	for s, want := range map[*Spool]string{small: text("s", 10), other: text("o", pieceSize/2), again: text("a", 4*pieceSize)} {
		if got := unspooled(t, s); got != want {
			t.Errorf("%d bytes of %q, want %d of %q", len(got), got[:1], len(want), want[:1])
		}
	}
	for _, s := range []*Spool{small, other, again} {
		s.Discard()
	}
	if d.held != 0 || d.memory != pieceSize {
		t.Errorf("%d bytes are held, %d of memory are left", d.held, d.memory)
	}
}

func TestDepotClosed(t *testing.T) {
	dir := t.TempDir()
	d := NewDepot(OpenOptions{TempDir: dir, MaxMemory: -1, MaxUnpacked: 1 << 20})
	s := spooled(t, d, "text")
	if _, err := d.Spool().Write(bytes.Repeat([]byte("x"), 2<<20)); err == nil || err.Error() != "unpacks to more than 1 MiB" {
		t.Error(err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if _, err := s.ReadAt(make([]byte, 1), 0); err == nil {
		t.Error("read after the end")
	}
	if _, err := d.Spool().Write([]byte("x")); !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}
