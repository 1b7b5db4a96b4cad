package transport

import (
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// ten returns the bodies and texts of an archive with ten config dumps. Each dump
// has half a megabyte or more.
func ten(t *testing.T, o OpenOptions) (bodies []*Body, texts []string) {
	t.Helper()
	files := map[string]string{"manifest.json": `{"kind":"Snapshot","version":1}`}
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 10 {
		texts = append(texts, strings.Repeat(fmt.Sprintf(`{"n":%d} `, r.Uint64()), 30_000+i))
		files[fmt.Sprintf("proxies/p%d.default/config_dump.json", i)] = texts[i]
	}
	o.TempDir = t.TempDir()
	s, err := Open(t.Context(), asFile(t, asOurs(t, files)), o)
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	for i := range 10 {
		b, err := s.Fetch(t.Context(), fmt.Sprintf("p%d.default", i), "config_dump", mesh.Hint{})
		if err != nil {
			t.Fatalf("%d: %v", i, err)
		}
		bodies = append(bodies, b)
	}
	return bodies, texts
}

func readBody(t *testing.T, b *Body) string {
	t.Helper()
	all, err := io.ReadAll(io.NewSectionReader(b, 0, b.Size()))
	if err != nil {
		t.Fatal(err)
	}
	return string(all)
}

// TestShelf checks that only some files of an archive stay unpacked, regardless of
// how many are read. Evicted files must have the same content when they are read
// again, and their storage must be reused.
func TestShelf(t *testing.T) {
	for _, memory := range []int64{-1, 1 << 20, 0} {
		const limit = 4 << 20 // the size of six files; half of the limit, three files, stays unpacked
		bodies, texts := ten(t, OpenOptions{MaxMemory: memory, MaxUnpacked: limit})
		depot := bodies[0].Bytes.(*frame).depot
		most := depot.tail
		for round := range 4 {
			for i, b := range bodies {
				if readBody(t, b) != texts[i] {
					t.Errorf("%d is another", i)
				}
				if depot.held > limit/2 {
					t.Errorf("%d bytes are held", depot.held)
				}
			}
			if round == 0 {
				most = depot.tail
			}
		}
		if depot.tail > most || memory < 0 && most == 0 {
			t.Errorf("the file ends at %d, after the first round at %d", depot.tail, most)
		}
	}
}

// TestShelfOfOne checks that a file that exceeds the limit alone stays unpacked
// until another file is read.
func TestShelfOfOne(t *testing.T) {
	bodies, texts := ten(t, OpenOptions{MaxUnpacked: 1 << 20})
	for i, b := range bodies {
		if readBody(t, b) != texts[i] || b.Bytes.(*frame).stored == nil {
			t.Errorf("%d is another, or gone", i)
		}
	}
}

// TestShelfOfMany reads files in many goroutines, including files that are being
// evicted.
func TestShelfOfMany(t *testing.T) {
	bodies, texts := ten(t, OpenOptions{MaxMemory: 1 << 20, MaxUnpacked: 8 << 20})
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 3))
			b := make([]byte, 300<<10)
			for range 60 {
				i := r.IntN(len(bodies))
				if r.IntN(3) == 0 {
					bodies[i].Bytes.(*frame).letGo()
					continue
				}
				off := r.Int64N(bodies[i].Size() - 1)
				n, err := bodies[i].ReadAt(b, off)
				if err != nil && err != io.EOF || string(b[:n]) != texts[i][off:off+int64(n)] {
					t.Errorf("%d bytes of %d from %d, %v", n, i, off, err)
				}
			}
		})
	}
	wg.Wait()
}
