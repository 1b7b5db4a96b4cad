package transport

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/zstd"

	"github.com/meshq/kubectl-meshq/sources/decode"
)

// memberWindow is the size of the zstd window of our own archives, in bytes.
const memberWindow = 8 << 20

// openIndexed returns the files of an archive that has an index. It reads only the
// index; each file is unpacked into the depot when it is first opened. It returns
// nil if the archive has no index.
func openIndexed(whole decode.Bytes, d *Depot, o OpenOptions, l *ledger) (*archive, error) {
	entries, ok := readIndex(whole, o.MaxEntries)
	if !ok {
		return nil, nil
	}
	s := &shelf{most: min(o.MaxUnpacked/2, mostUnpacked)}
	a := &archive{files: map[string]member{}, lost: map[string]error{}}
	for _, e := range entries {
		name, err := entryName(e.name)
		if err == nil && e.size > o.MaxMember {
			err = memberTooLarge(e.size, o.MaxMember)
			a.lose(name, err)
		}
		if err != nil {
			l.refuse(e.name, err)
			continue
		}
		delete(a.lost, name)
		a.files[name] = &frame{archive: whole, entry: e, depot: d, shelf: s, turn: make(chan struct{}, 1)}
		a.saw(e.time)
	}
	return a.index(o)
}

// A frame is a file that is compressed inside its archive. It is unpacked when it is
// read, and again if it is read after it was evicted.
type frame struct {
	archive decode.Bytes
	entry   indexEntry
	depot   *Depot
	shelf   *shelf
	turn    chan struct{} // held by the goroutine that unpacks the file

	mu      sync.Mutex
	stored  *Spool // the unpacked file; nil if it isn't unpacked
	readers int    // number of goroutines that are reading the unpacked file
	let     bool   // the unpacked file is evicted as soon as nobody reads it
}

func (f *frame) bytes(ctx context.Context) (decode.Bytes, error) {
	_, err := f.hold(ctx)
	if err != nil {
		return nil, err
	}
	f.release()
	return f, nil
}

// Size returns the size of the unpacked file.
func (f *frame) Size() int64 { return f.entry.size }

// ReadAt reads from the unpacked file.
func (f *frame) ReadAt(b []byte, off int64) (int, error) {
	s, err := f.hold(context.Background())
	if err != nil {
		return 0, err
	}
	defer f.release()
	return s.ReadAt(b, off)
}

// letGo evicts the unpacked file.
func (f *frame) letGo() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.let = f.stored != nil
	f.settle()
}

// hold returns the unpacked file, which stays unpacked until release.
func (f *frame) hold(ctx context.Context) (*Spool, error) {
	if s := f.there(); s != nil {
		return s, nil
	}
	select {
	case f.turn <- struct{}{}:
		defer func() { <-f.turn }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if s := f.there(); s != nil {
		return s, nil
	}
	f.shelf.makeRoom(f.entry.size)
	s := f.depot.sized(f.entry.size)
	if err := f.unpack(ctx, s); err != nil {
		s.Discard()
		f.shelf.makeRoom(-f.entry.size)
		if fatal(ctx, err) {
			return nil, err
		}
		return nil, fmt.Errorf("damaged in the archive: %w", err)
	}
	f.mu.Lock()
	f.stored = s
	f.readers++
	f.mu.Unlock()
	f.shelf.put(f)
	return s, nil
}

func (f *frame) there() *Spool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stored != nil {
		f.readers++
	}
	return f.stored
}

func (f *frame) release() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.readers--
	f.settle()
}

// settle discards the unpacked file if it was evicted and nobody reads it. The
// caller must hold mu.
func (f *frame) settle() {
	if f.let && f.readers == 0 {
		f.stored.Discard()
		f.stored, f.let = nil, false
	}
}

// mostUnpacked is how many bytes of an archive stay unpacked. A whole archive of a
// mesh with thousands of proxies would fill a disk, and most queries read each proxy
// once.
const mostUnpacked = 1 << 30

// A shelf holds the unpacked files of an archive, the oldest first. The oldest is
// evicted first.
type shelf struct {
	mu     sync.Mutex
	most   int64 // largest number of unpacked bytes
	held   int64 // bytes of all unpacked files and of those that are being unpacked
	frames []*frame
}

// put adds a frame that has just been unpacked.
func (s *shelf) put(f *frame) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frames = append(s.frames, f)
}

// makeRoom evicts frames so that one of this size can be unpacked.
func (s *shelf) makeRoom(size int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held += size
	for s.held > s.most && len(s.frames) > 0 {
		old := s.frames[0]
		s.frames[0] = nil
		s.frames = s.frames[1:]
		s.held -= old.entry.size
		old.letGo()
	}
}

// maxHeaders is the largest number of bytes in a frame besides the file itself:
// tar's headers and padding.
const maxHeaders = 1 << 20

func (f *frame) unpack(ctx context.Context, to *Spool) error {
	e := f.entry
	z, err := zstd.NewReader(io.NewSectionReader(f.archive, e.off, e.packed),
		zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(memberWindow))
	if err != nil {
		return err
	}
	defer z.Close()
	r := newMeter(ctx, z, e.size+maxHeaders)
	tr := tar.NewReader(r)
	h, err := tr.Next()
	if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
		return err
	}
	if h.Name != e.name || h.Size != e.size || h.Typeflag != tar.TypeReg {
		return errors.New("its index tells of another file")
	}
	if _, err := io.CopyN(diskWriter{to}, tr, e.size); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	if err := to.Trim(); err != nil {
		return &diskError{err}
	}
	_, err = io.Copy(io.Discard, r) // read to the end, so that the checksum is verified
	return err
}
