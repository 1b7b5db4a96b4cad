package forward

import "sync"

// pieceSize is the size of a piece of a backlog, in bytes.
const pieceSize = 16 << 10

// A backlog stores data that was received and not yet read, in pieces of the
// same size. It reuses pieces that were read, so a burst of data needs no more
// memory than its length.
type backlog struct {
	pieces []*[pieceSize]byte // data is read from the first piece and written to the last
	from   int                // the offset in the first piece at which reading continues
	to     int                // the offset in the last piece at which free space begins
	size   int                // the number of unread bytes
}

// spare is a pool of pieces that were read and can be reused.
var spare = sync.Pool{New: func() any { return new([pieceSize]byte) }}

// room returns free space for the next bytes. The space stays valid until add
// is called, even if data is read in the meantime.
func (b *backlog) room() []byte {
	if len(b.pieces) == 0 || b.to == pieceSize {
		b.to = 0
		b.pieces = append(b.pieces, spare.Get().(*[pieceSize]byte))
	}
	return b.pieces[len(b.pieces)-1][b.to:]
}

// add adds the n bytes that the caller has written to the space that room
// returned.
func (b *backlog) add(n int) {
	b.to += n
	b.size += n
}

// free drops all data and makes the pieces available to other backlogs. The caller
// must not write to the space that room returned any more.
func (b *backlog) free() {
	for _, p := range b.pieces {
		spare.Put(p)
	}
	*b = backlog{}
}

// read moves as many unread bytes as possible into the slice into.
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
