package transport

import (
	"errors"
	"io"
)

// pieceSize is the size of every piece but the last.
const pieceSize = 256 << 10

// A Spool is a body in a [Depot], whose size is not known before all of it has
// come: written from its beginning by one goroutine, then read by any number.
type Spool struct {
	depot *Depot
	list  []*place
	size  int64
	most  int64 // what it will be, if that is known
}

// Write appends b.
func (p *Spool) Write(b []byte) (int, error) {
	done := 0
	for done < len(b) {
		at := int(p.size % pieceSize)
		if at == 0 {
			q, err := p.depot.take(min(pieceSize, p.most-p.size))
			if err != nil {
				return done, err
			}
			p.list = append(p.list, q)
		}
		n, err := p.list[len(p.list)-1].Write(b[done:min(len(b), done+pieceSize-at)])
		done += n
		p.size += int64(n)
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// ReadAt reads what was written.
func (p *Spool) ReadAt(b []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errors.New("read before the beginning")
	}
	done := 0
	for done < len(b) {
		if off >= p.size {
			return done, io.EOF
		}
		at := off % pieceSize
		n, err := p.list[off/pieceSize].ReadAt(b[done:min(int64(len(b)), int64(done)+pieceSize-at)], at)
		done += n
		off += int64(n)
		if err != nil && err != io.EOF || n == 0 {
			return done, err
		}
	}
	return done, nil
}

// Size gives the number of bytes written.
func (p *Spool) Size() int64 { return p.size }

// Discard gives the body's place back. It can't be read any more, and holds
// nothing.
func (p *Spool) Discard() {
	for _, piece := range p.list {
		p.depot.leave(piece)
	}
	p.list, p.size = nil, 0
}

// Trim gives back the memory that the last piece does not need. Nothing is
// written after it.
func (p *Spool) Trim() {
	if len(p.list) == 0 {
		return
	}
	last := p.list[len(p.list)-1]
	if last.file != nil || last.size == last.room {
		return
	}
	last.mem = append(make([]byte, 0, last.size), last.mem...)
	p.depot.giveBack(last.room - last.size)
	last.room = last.size
}
