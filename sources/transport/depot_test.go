package transport

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
)

func spooled(t *testing.T, d *Depot, text string) *Spool {
	t.Helper()
	s := d.Spool()
	if _, err := io.Copy(s, strings.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	if err := s.Trim(); err != nil {
		t.Fatal(err)
	}
	return s
}

func unspooled(t *testing.T, s *Spool) string {
	t.Helper()
	b, err := io.ReadAll(io.NewSectionReader(s, 0, s.Size()))
	if err != nil {
		t.Error(err)
	}
	return string(b)
}

// bodies returns texts of several sizes. Only some of them compress well.
func bodies(seed uint64) (all []string) {
	noise := rand.NewChaCha8([32]byte{byte(seed)})
	for _, n := range []int{0, 1, 10, pieceSize/2 - 1, pieceSize / 2, pieceSize - 1, pieceSize, pieceSize + 1, 3 * pieceSize, 3*pieceSize + 100} {
		random := make([]byte, n)
		_, _ = noise.Read(random) // reading from this source never fails
		all = append(all, string(random), strings.Repeat("a cluster, ", n/11+1)[:n])
	}
	return all
}

// TestSpools checks that a spool has the same content in memory and in the file.
// The depot must reuse the memory and the ranges of discarded spools, but must
// never use them for two spools at once.
func TestSpools(t *testing.T) {
	for _, memory := range []int64{-1, pieceSize / 2, pieceSize, 5 * pieceSize, 100 * pieceSize} {
		d := NewDepot(OpenOptions{TempDir: t.TempDir(), MaxMemory: memory})
		defer d.Close()
		free := d.memory
		var tail int64
		for round := range uint64(3) {
			texts, spools := bodies(round), []*Spool(nil)
			for _, text := range texts {
				spools = append(spools, spooled(t, d, text))
			}
			for range 2 {
				for i := range texts {
					if got := unspooled(t, spools[i]); got != texts[i] {
						t.Fatalf("in memory of %d: %d bytes, want %d", memory, len(got), len(texts[i]))
					}
				}
			}
			for _, s := range spools {
				if s.Discard(); s.Size() != 0 {
					t.Errorf("%d bytes are left", s.Size())
				}
			}
			if d.held != 0 || d.memory != free || d.recent.Len() > 0 {
				t.Errorf("%d bytes are held, %d of %d of memory are left, %d pieces", d.held, d.memory, free, d.recent.Len())
			}
			if round == 0 {
				tail = d.tail
			} else if d.tail != tail {
				t.Errorf("the file grew to %d bytes, from %d", d.tail, tail)
			}
		}
		if inFile := tail > 0; inFile == (memory > 50*pieceSize) {
			t.Errorf("in memory of %d: %d bytes in the file", memory, tail)
		}
	}
}

// TestLookWhilePacked checks that a piece can be read while it waits to be
// moved to the file. The piece must be moved, and reading it again must not
// deadlock.
func TestLookWhilePacked(t *testing.T) {
	d := NewDepot(OpenOptions{TempDir: t.TempDir(), MaxMemory: pieceSize})
	defer d.Close()
	text := strings.Repeat("x", pieceSize)
	s := spooled(t, d, text)
	defer s.Discard()
	p := s.list[0]
	p.mu.Lock()
	room := make(chan error)
	go func() {
		ok, err := d.reserve(pieceSize)
		if err == nil && !ok {
			err = errors.New("no room")
		}
		d.drop(0, pieceSize)
		room <- err
	}()
	for chosen := false; !chosen; {
		d.mu.Lock()
		chosen = p.recent == nil
		d.mu.Unlock()
	}
	p.touch()
	p.mu.Unlock()
	if err := <-room; err != nil {
		t.Fatal(err)
	}
	if n := d.recent.Len(); n != 0 {
		t.Fatalf("%d pieces may be packed, and none is in memory", n)
	}
	if unspooled(t, s) != text {
		t.Error("another text")
	}
}

// TestSpoolsAtOnce lets many goroutines read spools while others write and discard
// spools. Only a few pieces fit into memory. Each reader must get the bytes that
// were written.
func TestSpoolsAtOnce(t *testing.T) {
	d := NewDepot(OpenOptions{TempDir: t.TempDir(), MaxMemory: 4 * pieceSize})
	defer d.Close()
	free := d.memory
	texts := bodies(9)
	var kept []*Spool
	for _, text := range texts {
		kept = append(kept, spooled(t, d, text))
	}
	var work sync.WaitGroup
	for seed := range uint64(6) {
		work.Go(func() {
			r := rand.New(rand.NewPCG(seed, 0))
			for range 60 {
				i := r.IntN(len(texts))
				if seed < 2 {
					s := d.Spool()
					_, err := io.Copy(s, strings.NewReader(texts[i]))
					if err = errors.Join(err, s.Trim()); err != nil || unspooled(t, s) != texts[i] {
						t.Errorf("written: %v", err)
					}
					s.Discard()
					continue
				}
				if len(texts[i]) == 0 {
					continue
				}
				off := r.IntN(len(texts[i]))
				b := make([]byte, 1+r.IntN(len(texts[i])-off))
				if n, err := kept[i].ReadAt(b, int64(off)); n != len(b) || err != nil || string(b) != texts[i][off:off+n] {
					t.Errorf("%d of %d bytes from %d: %v", n, len(b), off, err)
				}
			}
		})
	}
	work.Wait()
	for _, s := range kept {
		s.Discard()
	}
	if d.held != 0 || d.memory != free {
		t.Errorf("%d bytes are held, %d of %d of memory are left", d.held, d.memory, free)
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
