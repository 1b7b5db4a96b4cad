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

// memberWindow is how far back a frame of our own archives may refer.
const memberWindow = 8 << 20

// openIndexed gives the files of an archive by its index, of which nothing
// but the index is read; nil when it has none. Each file is unpacked into the
// depot when it is first opened.
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

// A frame is a member that lies packed in its archive. It is unpacked when it
// is wanted, and again when it is wanted after it was let go.
type frame struct {
	archive decode.Bytes
	entry   indexEntry
	depot   *Depot
	shelf   *shelf
	turn    chan struct{} // held by who unpacks it

	mu      sync.Mutex
	stored  *Spool // unpacked; nil: not now
	readers int    // of stored, at this moment
	let     bool   // go, when the last of them has read
}

func (f *frame) bytes(ctx context.Context) (decode.Bytes, error) {
	_, err := f.hold(ctx)
	if err != nil {
		return nil, err
	}
	f.release()
	return f, nil
}

// Size is that of the file.
func (f *frame) Size() int64 { return f.entry.size }

// ReadAt reads of the file.
func (f *frame) ReadAt(b []byte, off int64) (int, error) {
	s, err := f.hold(context.Background())
	if err != nil {
		return 0, err
	}
	defer f.release()
	return s.ReadAt(b, off)
}

// letGo gives back the place of what was unpacked.
func (f *frame) letGo() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.let = f.stored != nil
	f.settle()
}

// hold gives the file unpacked, until it is released.
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

// settle lets the file go, if it is to go and nobody reads it. Caller holds mu.
func (f *frame) settle() {
	if f.let && f.readers == 0 {
		f.stored.Discard()
		f.stored, f.let = nil, false
	}
}

// mostUnpacked is how much of an archive stays unpacked: of a mesh of thousands
// of proxies all of it would fill a disk, and most queries look at a proxy once.
const mostUnpacked = 1 << 30

// A shelf is what is unpacked of an archive, the oldest first, which goes
// first.
type shelf struct {
	mu     sync.Mutex
	most   int64 // bytes
	held   int64 // with what is being unpacked
	frames []*frame
}

// put takes a frame that was unpacked now.
func (s *shelf) put(f *frame) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frames = append(s.frames, f)
}

// makeRoom lets frames go for one that will be unpacked.
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

// maxHeaders is how much of a frame may be something else than the file:
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
	_, err = io.Copy(io.Discard, r) // to the checksum
	return err
}
