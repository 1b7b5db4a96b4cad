package transport

import (
	"errors"
	"io"
)

// pieceSize is the size of every piece but the last.
const pieceSize = 256 << 10

// pieces are bytes whose number is not known before they have all come. It is
// written like a [place].
type pieces struct {
	depot *depot
	list  []*place
	size  int64
}

// Write appends b.
func (p *pieces) Write(b []byte) (int, error) {
	done := 0
	for done < len(b) {
		at := int(p.size % pieceSize)
		if at == 0 {
			q, err := p.depot.take(pieceSize)
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
func (p *pieces) ReadAt(b []byte, off int64) (int, error) {
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
func (p *pieces) Size() int64 { return p.size }

// trim gives back the memory that the last piece does not need.
func (p *pieces) trim() {
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
