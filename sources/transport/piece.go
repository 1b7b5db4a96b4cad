package transport

import (
	"container/list"
	"io"
	"os"
	"sync"

	"github.com/klauspost/compress/s2"
)

// pieceSize is the size of every piece but the last.
const pieceSize = 256 << 10

// A piece is a part of a [Spool]: written once, from its beginning, by one
// goroutine, then read by any number. It is in memory as it is, or in the
// depot's file, packed: what proxies say shrinks to a thirtieth, and to pack it
// costs less than to write it.
type piece struct {
	depot *Depot
	room  int // how much it can hold

	mu     sync.Mutex
	raw    []byte // its bytes; nil: they are in the file
	size   int
	stays  bool  // raw counts as the depot's memory
	packed int   // how much of the file is its; 0: it isn't there
	off    int64 // where that is
	gone   bool

	// recent is its place in depot.recent, while it may be packed; guarded by the
	// depot's mu. A piece that isn't in memory has none: who brings one back
	// holds its mu, and waits for that of another that makes room.
	recent *list.Element
}

// buffers are of the size of a piece, between two uses.
var buffers = sync.Pool{New: func() any { b := make([]byte, pieceSize); return &b }}

// packing is room for a piece that is packed, however little it shrinks.
var packing = sync.Pool{New: func() any { b := make([]byte, s2.MaxEncodedLen(pieceSize)); return &b }}

func borrow() []byte { return *buffers.Get().(*[]byte) }

func giveBack(b []byte) {
	if b = b[:cap(b)]; len(b) == pieceSize {
		buffers.Put(&b)
	}
}

// begin gives an empty piece for up to room bytes.
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

// reserve takes memory, where pieces that were not looked at for longest make
// room; ok is false when there is none.
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

// touch says that the piece was looked at, and may be packed.
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

// write takes what there is room for.
func (p *piece) write(b []byte) int {
	n := min(len(b), p.room-p.size)
	p.raw = append(p.raw, b[:n]...)
	p.size += n
	return n
}

// finish says that nothing is written any more.
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

// shrink takes no more memory than is needed. Caller holds mu.
func (p *piece) shrink() {
	small := append(make([]byte, 0, p.size), p.raw...)
	p.depot.drop(0, int64(cap(p.raw)-cap(small)))
	giveBack(p.raw)
	p.raw = small
}

// pack gives the piece's memory back.
func (p *piece) pack() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone || p.raw == nil {
		return nil
	}
	return p.store()
}

// store puts the piece into the file, and out of memory. Caller holds mu.
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

// free forgets what is in memory. Caller holds mu.
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

// leave takes the piece from those that may be packed: it may have been looked
// at while its packing waited for that look to end.
func (p *piece) leave() {
	d := p.depot
	d.mu.Lock()
	defer d.mu.Unlock()
	if p.recent != nil {
		d.recent.Remove(p.recent)
		p.recent = nil
	}
}

// readAt reads what was written, from off on.
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

// unpack brings the piece into memory. Caller holds mu.
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

// discard gives everything back.
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
