package transport

import (
	"errors"
	"io"
)

// A Spool is a body in a [Depot]. Its size isn't known before it is complete. One
// goroutine writes it from beginning to end; after Trim any number of goroutines may
// read it.
type Spool struct {
	depot *Depot
	list  []*piece
	size  int64
	most  int64 // the final size in bytes, if it is known
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

// ReadAt reads bytes that were written.
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

// Size returns the number of bytes written.
func (p *Spool) Size() int64 { return p.size }

// Discard frees the storage of the body. The spool is empty afterwards, and its
// former content can't be read any more.
func (p *Spool) Discard() {
	for _, q := range p.list {
		q.discard()
	}
	p.list, p.size = nil, 0
}

// Trim ends the body: it must not be written to afterwards.
func (p *Spool) Trim() error {
	if p.size%pieceSize == 0 {
		return nil
	}
	return p.list[len(p.list)-1].finish()
}
