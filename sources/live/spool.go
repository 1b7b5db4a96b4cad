package live

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/meshq/kubectl-meshq/sources/transport"
)

// spools stores the received bodies as long as they may be read.
type spools struct {
	depot *transport.Depot

	mu    sync.Mutex
	given []*transport.Spool
}

// inMemory is the number of bytes of bodies that are kept uncompressed in memory.
// It is enough for all small bodies and for the large ones that are being read.
const inMemory = 16 << 20

func newSpools(tempDir string, quota *transport.Quota) spools {
	return spools{depot: transport.NewDepot(transport.OpenOptions{TempDir: tempDir, Quota: quota, MaxMemory: inMemory, MaxUnpacked: math.MaxInt64})}
}

// body marks the body in a spool as complete and returns it.
func (s *spools) body(spool *transport.Spool, name string, form transport.Form) (*transport.Body, error) {
	if err := spool.Trim(); err != nil {
		spool.Discard()
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.given = append(s.given, spool)
	return &transport.Body{Bytes: spool, Name: name, Form: form}, nil
}

// forget frees the storage of all bodies.
func (s *spools) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, spool := range s.given {
		spool.Discard()
	}
	s.given = nil
}

// A filler writes a body to its spool as the body arrives. It counts the bytes.
type filler struct {
	spool *transport.Spool
	*counters
	came atomic.Int64
}

// Write appends bytes to the body. It returns an error if the body becomes larger
// than maxBody.
func (f *filler) Write(b []byte) (int, error) {
	if int64(len(b)) > maxBody-f.spool.Size() {
		return 0, fmt.Errorf("an answer of more than %d GiB", maxBody>>30)
	}
	n, err := f.spool.Write(b)
	f.bytes.Add(int64(n))
	f.came.Add(int64(n))
	return n, err
}

// slow returns the error for a body that arrives too slowly.
func (f *filler) slow() error {
	return &SilentError{After: paceWindow, Came: f.spool.Size(), Begun: true, Slow: true}
}

// errStopped is the error for a read that was stopped because of a deadline.
var errStopped = errors.New("stopped")

// scratch is a pool of buffers through which bodies are copied.
var scratch = sync.Pool{New: func() any { return new([64 << 10]byte) }}

// fill copies r to f, up to the end of r. It calls stop if a single read takes
// longer than d, or if the body arrives too slowly.
func (f *filler) fill(ctx context.Context, l limits, d time.Duration, r io.Reader, stop func()) (err error) {
	release := l.keepPace(ctx, &f.came, stop)
	defer func() {
		if release() && err != nil && ctx.Err() == nil {
			err = f.slow()
		}
	}()
	pooled := scratch.Get().(*[64 << 10]byte)
	defer scratch.Put(pooled)
	buf := pooled[:]
	for {
		var n int
		stopped, err := l.within(ctx, d, stop, func() (err error) {
			n, err = r.Read(buf)
			return err
		})
		if _, e := f.Write(buf[:n]); e != nil {
			return e
		}
		switch {
		case err == io.EOF:
			return nil
		case stopped:
			return errStopped
		case err != nil:
			return broken(f.spool.Size(), err)
		}
	}
}
