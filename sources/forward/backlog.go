package forward

import "sync"

// pieceSize is the size of a piece of a backlog, in bytes.
const pieceSize = 16 << 10

// A backlog holds data that was received and not read yet, in pieces of one
// size. Pieces that were read are reused, so that a burst costs no more than
// its length.
type backlog struct {
	pieces []*[pieceSize]byte // the first is read, the last is filled
	from   int                // the offset in the first at which reading continues
	to     int                // the offset in the last at which there is room
	size   int                // how many bytes are in it
}

// spare holds pieces that were read.
var spare = sync.Pool{New: func() any { return new([pieceSize]byte) }}

// room returns the space for the next bytes. It stays valid until add is
// called, whatever is read meanwhile.
func (b *backlog) room() []byte {
	if len(b.pieces) == 0 || b.to == pieceSize {
		b.to = 0
		b.pieces = append(b.pieces, spare.Get().(*[pieceSize]byte))
	}
	return b.pieces[len(b.pieces)-1][b.to:]
}

// add adds n bytes that were written to room.
func (b *backlog) add(n int) {
	b.to += n
	b.size += n
}

// read moves as many bytes as possible to into.
func (b *backlog) read(into []byte) (n int) {
	for len(into) > 0 && b.size > 0 {
		end := pieceSize
		if len(b.pieces) == 1 {
			end = b.to
		}
		m := copy(into, b.pieces[0][b.from:end])
		into, n = into[m:], n+m
		b.from += m
		b.size -= m
		if b.from == pieceSize {
			spare.Put(b.pieces[0])
			b.from, b.pieces[0] = 0, nil
			b.pieces = b.pieces[1:]
		}
	}
	return n
}
