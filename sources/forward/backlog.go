package forward

import "sync"

// pieceSize is how much a piece of a backlog holds: few of them wait, mostly.
const pieceSize = 16 << 10

// A backlog is what has come and was not read yet, in pieces of one size: what
// was read makes room for what comes, here or in another one, and a burst costs
// no more than it is long.
type backlog struct {
	pieces []*[pieceSize]byte // the first is read from, the last is filled
	from   int                // where reading goes on in the first
	to     int                // where the last has room
	size   int                // of what is there
}

// spare has pieces that were read.
var spare = sync.Pool{New: func() any { return new([pieceSize]byte) }}

// room is where the next bytes go. It stays until they are added, whatever is
// read meanwhile.
func (b *backlog) room() []byte {
	if len(b.pieces) == 0 || b.to == pieceSize {
		b.to = 0
		b.pieces = append(b.pieces, spare.Get().(*[pieceSize]byte))
	}
	return b.pieces[len(b.pieces)-1][b.to:]
}

// add says that n bytes came into the room.
func (b *backlog) add(n int) {
	b.to += n
	b.size += n
}

// read takes bytes out, as many as there are.
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
