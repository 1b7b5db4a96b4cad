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

// ten is an archive of ten config dumps, of half a megabyte and more.
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
		if got := readBody(t, b); got != texts[i] {
			t.Fatalf("%d: %d bytes, not %d", i, len(got), len(texts[i]))
		}
		if o.MaxUnpacked > 0 {
			b.LetGo()
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

// What is let go takes no place, and is the same when it is read again, from
// the places of others.
func TestLetGo(t *testing.T) {
	for _, memory := range []int64{-1, 1 << 20, 0} {
		bodies, texts := ten(t, OpenOptions{MaxMemory: memory})
		depot := bodies[0].Bytes.(*frame).depot
		held, tail := depot.held, depot.tail
		for range 3 {
			for _, b := range bodies {
				b.LetGo()
				b.LetGo()
			}
			if depot.held > held/100 {
				t.Errorf("%d bytes are held of %d", depot.held, held)
			}
			for i, b := range bodies {
				if readBody(t, b) != texts[i] {
					t.Errorf("%d is another", i)
				}
			}
		}
		if depot.held != held || depot.tail > tail {
			t.Errorf("holds %d bytes and ends at %d; first %d and %d", depot.held, depot.tail, held, tail)
		}
	}
}

// However many there are, no more than is allowed is unpacked at once.
func TestLetGoUnderALimit(t *testing.T) {
	bodies, texts := ten(t, OpenOptions{MaxUnpacked: 2 << 20})
	if readBody(t, bodies[3]) != texts[3] {
		t.Error("it is another")
	}
	for _, b := range bodies { // all at once are too many
		var one [1]byte
		if _, err := b.ReadAt(one[:], 0); err != nil {
			if err.Error() != "unpacks to more than 2 MiB" {
				t.Error(err)
			}
			return
		}
	}
	t.Error("more than the limit was unpacked")
}

// Many read while others let go.
func TestLetGoWhileOthersRead(t *testing.T) {
	bodies, texts := ten(t, OpenOptions{MaxMemory: 1 << 20})
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 3))
			b := make([]byte, 300<<10)
			for range 60 {
				i := r.IntN(len(bodies))
				if r.IntN(3) == 0 {
					bodies[i].LetGo()
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
