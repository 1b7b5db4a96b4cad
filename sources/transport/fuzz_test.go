package transport

import (
	"bytes"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// FuzzOpen opens arbitrary bytes. Open must return a source or a one-line
// error. It must not panic, and must not use more memory than the limits allow.
func FuzzOpen(f *testing.F) {
	for _, seed := range openSeeds(f) {
		f.Add(seed)
	}
	f.Fuzz(openAny)
}

// TestOpenAnything does the same as FuzzOpen with archives in which a few bytes
// were changed, removed or repeated.
func TestOpenAnything(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	seeds := openSeeds(t)
	for range 1500 {
		b := bytes.Clone(seeds[rnd.IntN(len(seeds))])
		for range 1 + rnd.IntN(4) {
			if len(b) == 0 {
				break
			}
			i := rnd.IntN(len(b))
			j := min(len(b), i+1+rnd.IntN(600))
			switch rnd.IntN(4) {
			case 0:
				b[i] = byte(rnd.IntN(256))
			case 1:
				b = append(b[:i], b[j:]...)
			case 2:
				b = append(b[:j:j], b[i:]...)
			case 3:
				b = b[:j]
			}
		}
		openAny(t, b)
	}
}

func openSeeds(t testing.TB) [][]byte {
	files := small()
	files["proxies/"+web+"/config_dump.json"] = `{"configs":[]}`
	plain := asTar(t, "", files)
	report := asTar(t, "bug-report/", smallReport())
	return [][]byte{
		nil, []byte(`{"configs":[]}`), []byte("[{}]"), []byte(`{"kind":"List"}`),
		plain, asGzip(t, plain), asZstd(t, plain), asOurs(t, files),
		report, asGzip(t, report), asOurs(t, smallReport()),
		hostileTar(t, tarHeader("../a", '0'), tarHeader("b", '2'), tarHeader("c", 'S')),
		asZstd(t, []byte(`{"configs":[]}`)), asGzip(t, []byte(`{"workloads":{}}`)),
	}
}

func openAny(t *testing.T, b []byte) {
	o := OpenOptions{MaxUnpacked: 4 << 20, MaxMember: 1 << 20, MaxMemory: 8 << 20, MaxEntries: 1000, TempDir: os.DevNull}
	s, err := OpenBytes(t.Context(), "x", b, o)
	if err != nil {
		if s != nil || strings.Contains(err.Error(), "\n") || !strings.HasPrefix(err.Error(), "x: ") {
			t.Errorf("%q", err)
		}
		return
	}
	if s2, err := Open(t.Context(), "-", OpenOptions{Stdin: bytes.NewReader(b), MaxUnpacked: 4 << 20, TempDir: os.DevNull}); err == nil {
		s2.Close()
	}
	ask(t, s)
	for _, f := range s.Faults() {
		if strings.Contains(f.Error(), "\n") {
			t.Errorf("%q", f)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// ask requests every response of a source, to check that no request panics.
func ask(t *testing.T, s Source) {
	check := func(b *Body, err error) {
		if (b == nil) != (err != nil) {
			t.Error(b, err)
		}
		if b != nil {
			if n, err := io.Copy(io.Discard, io.NewSectionReader(b, 0, b.Size())); err != nil || n != b.Size() {
				t.Error(n, b.Size(), err)
			}
		}
	}
	proxies, err := s.Proxies(t.Context())
	if err != nil {
		t.Error(err)
	}
	for _, id := range proxies {
		for _, request := range []string{"config_dump", "clusters", "stats", "logging"} {
			check(s.Fetch(t.Context(), id, request, mesh.Hint{}))
		}
	}
	pilots, err := s.Pilots(t.Context())
	if err != nil {
		t.Error(err)
	}
	for _, id := range pilots {
		check(s.Pilot(t.Context(), id, "syncz"))
		check(s.Pilot(t.Context(), id, "config_dump?proxyID="+web))
	}
	for _, resource := range []string{"pods", "gateways.networking.istio.io", "nodes"} {
		check(s.List(t.Context(), resource))
	}
}
