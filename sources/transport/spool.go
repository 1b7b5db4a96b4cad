package transport

import (
	"container/list"
	"errors"
	"io"
	"os"
	"sync"

	"github.com/klauspost/compress/s2"
)

// pieceSize is the size of a piece of a body in bytes. Only the last piece of a
// body may be smaller.
const pieceSize = 256 << 10

// A piece is a part of a [Spool]. One goroutine writes it once, from start to end.
// Afterwards any number of goroutines may read it. It is either in memory and
// uncompressed, or in the depot's file and compressed. Compression reduces
// proxies' responses to a thirtieth of their size, and takes less time than
// writing them uncompressed.
type piece struct {
	depot *Depot
	room  int // the capacity in bytes

	mu     sync.Mutex
	raw    []byte // the uncompressed bytes; nil if the piece is only in the file
	size   int
	stays  bool  // true if the bytes in raw are counted in the depot's memory
	packed int   // the size of the compressed piece in the file; 0 if the piece isn't in the file
	off    int64 // the offset of the compressed piece in the file
	gone   bool

	// recent is the element of depot.recent for this piece, if the piece may be
	// moved to the file. The depot's mu guards it. A piece that isn't in memory
	// must not be in that list. While a goroutine loads a piece, it holds the
	// piece's mu, and may wait for the mu of another piece that it moves to the
	// file.
	recent *list.Element
}

// buffers is a pool of buffers of pieceSize bytes.
var buffers = sync.Pool{New: func() any { b := make([]byte, pieceSize); return &b }}

// packing is a pool of buffers that can hold a compressed piece even if
// compression doesn't make it smaller.
var packing = sync.Pool{New: func() any { b := make([]byte, s2.MaxEncodedLen(pieceSize)); return &b }}

func borrow() []byte { return *buffers.Get().(*[]byte) }

func giveBack(b []byte) {
	if b = b[:cap(b)]; len(b) == pieceSize {
		buffers.Put(&b)
	}
}

// begin returns an empty piece with a capacity of room bytes.
func (d *Depot) begin(room int) (*piece, error) {
	if err := d.hold(int64(room)); err != nil {
		return nil, err
	}
	stays, err := d.reserve(pieceSize)
	if err != nil {
		d.drop(int64(room), 0)
		return nil, err
	}
	return &piece{depot: d, room: room, raw: borrow()[:0], stays: stays}, nil
}

// reserve reserves memory. If necessary, it moves the pieces that were used
// longest ago to the file. ok is false if it can't free enough memory.
func (d *Depot) reserve(bytes int) (ok bool, err error) {
	for {
		d.mu.Lock()
		if int64(bytes) <= d.memory {
			d.memory -= int64(bytes)
			d.mu.Unlock()
			return true, nil
		}
		oldest := d.recent.Front()
		if oldest == nil {
			d.mu.Unlock()
			return false, nil
		}
		p := d.recent.Remove(oldest).(*piece)
		p.recent = nil
		d.mu.Unlock()
		if err := p.pack(); err != nil {
			return false, err
		}
	}
}

// touch marks the piece as the one that was used last. From then on, it may be
// moved to the file.
func (p *piece) touch() {
	d := p.depot
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case !p.stays:
	case p.recent == nil:
		p.recent = d.recent.PushBack(p)
	default:
		d.recent.MoveToBack(p.recent)
	}
}

// write appends the first bytes of b that fit, and returns their number.
func (p *piece) write(b []byte) int {
	n := min(len(b), p.room-p.size)
	p.raw = append(p.raw, b[:n]...)
	p.size += n
	return n
}

// finish marks the piece as complete.
func (p *piece) finish() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.raw == nil {
		return nil
	}
	if !p.stays {
		return p.store()
	}
	if p.size < pieceSize/2 {
		p.shrink()
	}
	p.touch()
	return nil
}

// shrink moves the bytes to a buffer of exactly their size. The caller must hold
// mu.
func (p *piece) shrink() {
	small := append(make([]byte, 0, p.size), p.raw...)
	p.depot.drop(0, int64(cap(p.raw)-cap(small)))
	giveBack(p.raw)
	p.raw = small
}

// pack moves the piece to the depot's file, which frees its memory.
func (p *piece) pack() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone || p.raw == nil {
		return nil
	}
	return p.store()
}

// store writes the piece to the file and frees its memory. The caller must hold mu.
func (p *piece) store() error {
	if p.packed == 0 {
		scratch := packing.Get().(*[]byte)
		defer packing.Put(scratch)
		b := s2.Encode(*scratch, p.raw)
		off, err := p.depot.store(b)
		if err != nil {
			return err
		}
		p.packed, p.off = len(b), off
	}
	p.free()
	return nil
}

// free frees the memory of the piece. The caller must hold the piece's mu.
func (p *piece) free() {
	if p.raw == nil {
		return
	}
	p.leave()
	if p.stays {
		p.depot.drop(0, int64(cap(p.raw)))
	}
	giveBack(p.raw)
	p.raw, p.stays = nil, false
}

// leave removes the piece from depot.recent. While pack waited for a reader, the
// reader may have added the piece to that list again.
func (p *piece) leave() {
	d := p.depot
	d.mu.Lock()
	defer d.mu.Unlock()
	if p.recent != nil {
		d.recent.Remove(p.recent)
		p.recent = nil
	}
}

// readAt copies bytes of the piece at offset off into b, and returns their number.
// The bytes must have been written before.
func (p *piece) readAt(b []byte, off int) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone {
		return 0, os.ErrClosed
	}
	if p.raw == nil {
		if err := p.unpack(); err != nil {
			return 0, err
		}
	}
	n := copy(b, p.raw[off:])
	if p.stays {
		p.touch()
	} else if p.packed > 0 {
		p.free()
	}
	return n, nil
}

// unpack loads the piece into memory. The caller must hold mu.
func (p *piece) unpack() error {
	scratch := packing.Get().(*[]byte)
	defer packing.Put(scratch)
	from := (*scratch)[:p.packed]
	if err := p.depot.load(from, p.off); err != nil {
		return err
	}
	into := borrow()
	raw, err := s2.Decode(into, from)
	if err == nil && len(raw) != p.size {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		giveBack(into)
		return err
	}
	stays, err := p.depot.reserve(cap(raw))
	p.raw, p.stays = raw, stays && err == nil
	return nil
}

// discard frees the piece: its memory and its range in the file.
func (p *piece) discard() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone {
		return
	}
	p.gone = true
	p.free()
	d := p.depot
	d.mu.Lock()
	defer d.mu.Unlock()
	if p.packed > 0 {
		d.freeSlot(int64(p.packed), p.off)
	}
	d.held -= int64(p.room)
}

// A Spool is a body in a [Depot]. Its size isn't known until it is complete. One
// goroutine writes it from start to end. After Trim any number of goroutines may
// read it.
type Spool struct {
	depot *Depot
	list  []*piece
	size  int64
	most  int64 // the final size in bytes, if it is known in advance
}

// Write appends the bytes of b to the body.
func (p *Spool) Write(b []byte) (int, error) {
	done := 0
	for done < len(b) {
		if p.size%pieceSize == 0 {
			q, err := p.depot.begin(int(min(pieceSize, p.most-p.size)))
			if err != nil {
				return done, err
			}
			p.list = append(p.list, q)
		}
		last := p.list[len(p.list)-1]
		n := last.write(b[done:])
		if n == 0 {
			return done, io.ErrShortWrite
		}
		done += n
		p.size += int64(n)
		if last.size == pieceSize {
			if err := last.finish(); err != nil {
				return done, err
			}
		}
	}
	return done, nil
}

// ReadAt implements [io.ReaderAt] on the bytes that were written so far.
func (p *Spool) ReadAt(b []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errors.New("read before the beginning")
	}
	done := 0
	for done < len(b) {
		if off >= p.size {
			return done, io.EOF
		}
		n, err := p.list[off/pieceSize].readAt(b[done:], int(off%pieceSize))
		done += n
		off += int64(n)
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// Unload moves a complete body from memory to the depot's file. It is meant for a
// large body that has been read and will probably not be read again. If the file
// can't be written, the rest of the body stays in memory.
func (p *Spool) Unload() {
	for _, q := range p.list {
		if q.pack() != nil {
			return
		}
	}
}

// Size returns the number of bytes written.
func (p *Spool) Size() int64 { return p.size }

// Discard frees the storage of the body. Afterwards the spool is empty, and its
// former content can't be read.
func (p *Spool) Discard() {
	for _, q := range p.list {
		q.discard()
	}
	p.list, p.size = nil, 0
}

// Trim marks the body as complete. It frees the unused memory of the last piece.
// No more bytes may be written afterwards.
func (p *Spool) Trim() error {
	if p.size%pieceSize == 0 {
		return nil
	}
	return p.list[len(p.list)-1].finish()
}
