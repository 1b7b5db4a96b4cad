package transport

import (
	"errors"
	"io"
)

// A Spool is a body in a [Depot], whose size is not known before all of it has
// come: written from its beginning by one goroutine, then, after Trim, read by
// any number.
type Spool struct {
	depot *Depot
	list  []*piece
	size  int64
	most  int64 // what it will be, if that is known
}

// Write appends b.
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
		n, err := p.list[off/pieceSize].readAt(b[done:], int(off%pieceSize))
		done += n
		off += int64(n)
		if err != nil {
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
	for _, q := range p.list {
		q.discard()
	}
	p.list, p.size = nil, 0
}

// Trim ends the body: nothing is written after it.
func (p *Spool) Trim() error {
	if p.size%pieceSize == 0 {
		return nil
	}
	return p.list[len(p.list)-1].finish()
}
