package transport

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/meshq/kubectl-meshq/sources/decode"
)

// An archive that [Writer] writes is an ordinary .tar.zst: a sequence of zstd frames
// that together unpack to a tar archive. Each file (its header, its bytes, the
// padding) has a frame of its own, and so has tar's end mark. The last frame is a
// skippable one, which zstd ignores, with the index:
//
//	magic      4 bytes   0x184D2A5D, little endian as all numbers here
//	length     4 bytes   of the rest of this frame
//	entries    …         zstd: for each file, in order, as in encoding/binary
//	                     uvarint length of the name, the name,
//	                     uvarint bytes between the last frame and its own,
//	                     uvarint bytes of its frame, uvarint bytes of the file,
//	                     varint its time, seconds since 1970
//	start      8 bytes   offset of this frame in the archive
//	unpacked   8 bytes   size of the entries, unpacked
//	packed     4 bytes   size of the entries, packed
//	mark       8 bytes   "meshqix1"
//
// An index that doesn't fit its archive is ignored: the archive is then read from
// its beginning, like one from another program.
const (
	indexMagic  = 0x184D2A5D
	indexMark   = "meshqix1"
	indexHeader = 8
	indexFooter = 8 + 8 + 4 + len(indexMark)

	// maxIndex is the maximum size of an unpacked index in bytes.
	maxIndex = 128 << 20
)

// An indexEntry describes a file and the location of its frame.
type indexEntry struct {
	name   string
	off    int64 // offset of the file's frame in the archive
	packed int64 // size of the compressed frame in bytes
	size   int64 // size of the unpacked file in bytes
	time   time.Time
}

// appendIndex appends the frame that contains the index. start is the offset of
// that frame in the archive.
func appendIndex(b []byte, entries []indexEntry, start int64) ([]byte, error) {
	var raw []byte
	end := int64(0)
	for _, e := range entries {
		raw = binary.AppendUvarint(raw, uint64(len(e.name)))
		raw = append(raw, e.name...)
		raw = binary.AppendUvarint(raw, uint64(e.off-end))
		raw = binary.AppendUvarint(raw, uint64(e.packed))
		raw = binary.AppendUvarint(raw, uint64(e.size))
		raw = binary.AppendVarint(raw, e.time.Unix())
		end = e.off + e.packed
	}
	if len(raw) > maxIndex {
		return nil, errors.New("too many files for an index")
	}
	z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	packed := z.EncodeAll(raw, nil)
	b = binary.LittleEndian.AppendUint32(b, indexMagic)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(packed)+indexFooter))
	b = append(b, packed...)
	b = binary.LittleEndian.AppendUint64(b, uint64(start))
	b = binary.LittleEndian.AppendUint64(b, uint64(len(raw)))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(packed)))
	return append(b, indexMark...), nil
}

// readIndex returns the index of an archive. ok is false if the archive has no
// valid index, or if the index has more than most entries.
func readIndex(archive decode.Bytes, most int) (entries []indexEntry, ok bool) {
	size := archive.Size()
	footer := make([]byte, indexFooter)
	if size < int64(indexHeader+indexFooter) || readFull(archive, footer, size-int64(indexFooter)) != nil {
		return nil, false
	}
	start := binary.LittleEndian.Uint64(footer)
	unpacked := binary.LittleEndian.Uint64(footer[8:])
	packed := int64(binary.LittleEndian.Uint32(footer[16:]))
	if string(footer[20:]) != indexMark || unpacked > maxIndex || packed > maxIndex || start > uint64(size) ||
		int64(start)+indexHeader+packed+int64(indexFooter) != size {
		return nil, false
	}
	frame := make([]byte, indexHeader+packed)
	if readFull(archive, frame, int64(start)) != nil ||
		binary.LittleEndian.Uint32(frame) != indexMagic ||
		int64(binary.LittleEndian.Uint32(frame[4:])) != packed+int64(indexFooter) {
		return nil, false
	}
	raw, err := unpackIndex(frame[indexHeader:], int64(unpacked))
	if err != nil {
		return nil, false
	}
	return parseIndex(raw, int64(start), most)
}

func unpackIndex(packed []byte, size int64) ([]byte, error) {
	z, err := zstd.NewReader(bytes.NewReader(packed), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(memberWindow))
	if err != nil {
		return nil, err
	}
	defer z.Close()
	raw, err := io.ReadAll(io.LimitReader(z, size+1))
	if err == nil && int64(len(raw)) != size {
		err = io.ErrUnexpectedEOF
	}
	return raw, err
}

// parseIndex parses the entries of an index. Their frames must be in order and end
// before end.
func parseIndex(raw []byte, end int64, most int) (entries []indexEntry, ok bool) {
	r := indexReader{raw}
	at := int64(0)
	for len(r.rest) > 0 {
		name := r.take(r.number())
		gap, packed, size := r.number(), r.number(), r.number()
		seconds, n := binary.Varint(r.rest)
		if n <= 0 || gap > end-at || packed > end-at-gap || packed == 0 || len(entries) == most {
			return nil, false
		}
		r.rest = r.rest[n:]
		e := indexEntry{name: string(name), off: at + gap, packed: packed, size: size, time: time.Unix(seconds, 0).UTC()}
		entries = append(entries, e)
		at = e.off + packed
	}
	return entries, true
}

// An indexReader parses the numbers and names in an index. After an error it has
// no more bytes, so that reading the next number fails as well.
type indexReader struct{ rest []byte }

// number returns the next number. A number must be less than 2^62.
func (r *indexReader) number() int64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 || v >= 1<<62 {
		r.rest = nil
		return 0
	}
	r.rest = r.rest[n:]
	return int64(v)
}

func (r *indexReader) take(n int64) []byte {
	if n > int64(len(r.rest)) {
		r.rest = nil
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

// readFull reads len(b) bytes at the offset off.
func readFull(r io.ReaderAt, b []byte, off int64) error {
	if n, err := r.ReadAt(b, off); n < len(b) {
		return err
	}
	return nil
}

// memberWindow is the size in bytes of the zstd window in archives that this
// package writes.
const memberWindow = 8 << 20

// openIndexed returns the files of an archive that has an index. It reads only the
// index. Each file is unpacked into the depot when it is first opened. openIndexed
// returns nil if the archive has no index.
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

// A frame is a file that is compressed inside its archive. The file is unpacked
// when it is first read, and again when it is read after it was evicted.
type frame struct {
	archive decode.Bytes
	entry   indexEntry
	depot   *Depot
	shelf   *shelf
	turn    chan struct{} // a lock that a goroutine holds while it unpacks the file

	mu      sync.Mutex
	stored  *Spool // the unpacked file; nil while the file isn't unpacked
	readers int    // number of goroutines that are reading the unpacked file
	let     bool   // true if the unpacked file is to be evicted as soon as its last reader is done
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

// ReadAt reads bytes of the unpacked file. It unpacks the file if necessary.
func (f *frame) ReadAt(b []byte, off int64) (int, error) {
	s, err := f.hold(context.Background())
	if err != nil {
		return 0, err
	}
	defer f.release()
	return s.ReadAt(b, off)
}

// letGo evicts the unpacked file as soon as the file has no readers.
func (f *frame) letGo() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.let = f.stored != nil
	f.settle()
}

// hold returns the unpacked file. The file isn't evicted until the caller calls
// release.
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

// settle discards the unpacked file if it was evicted and has no readers. The
// caller must hold mu.
func (f *frame) settle() {
	if f.let && f.readers == 0 {
		f.stored.Discard()
		f.stored, f.let = nil, false
	}
}

// mostUnpacked is the maximum number of unpacked bytes that are kept of an
// archive. The unpacked archive of a mesh with thousands of proxies would fill a
// disk, and most queries read each proxy only once.
const mostUnpacked = 1 << 30

// A shelf contains the unpacked files of an archive, in the order in which they
// were unpacked. It evicts the oldest file first.
type shelf struct {
	mu     sync.Mutex
	most   int64 // maximum number of unpacked bytes
	held   int64 // number of bytes of all files that are unpacked or are being unpacked
	frames []*frame
}

// put adds a frame whose file was just unpacked.
func (s *shelf) put(f *frame) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frames = append(s.frames, f)
}

// makeRoom evicts unpacked files so that a file of this size can be unpacked.
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

// maxHeaders is the maximum size in bytes of tar's headers and padding in the
// frame of a file.
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
	_, err = io.Copy(io.Discard, r) // reading to the end makes the decoder verify the checksum
	return err
}
