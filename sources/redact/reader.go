package redact

import (
	"errors"
	"fmt"
	"hash"
	"io"
)

const (
	windowSize = 64 << 10
	widest     = 1 << 20 // window, for one string
	maxDepth   = 10_000
)

// A Reader gives a JSON body without what is to be taken out of it. What it
// gives is the same however the body comes in pieces, and however often it is
// read. It is used by one goroutine.
//
// A body that is no JSON is an error, and nothing that follows what was wrong
// is given: nobody can tell what it is.
type Reader struct {
	policy  *Policy
	schema  *schema
	src     io.Reader
	win     []byte // some of the body
	at      int    // what of win is not yet understood
	mark    int    // win[mark:at] is to be given as it is
	base    int64  // how much of the body is before win
	drained error  // what src said at its end

	out   []byte
	given int // of out
	found Counts
	err   error

	text0   []byte // a string without its escapes
	mac     hash.Hash
	digests map[string]string

	grammar
	long *long // the string that is too large for the window, while in it
}

// Counts says how many texts were taken out.
type Counts struct{ Digested, Dropped int }

// NewReader gives a Reader of a body that a snapshot has in a file; kind is
// that of the objects of a list of Kubernetes, "Gateway.networking.istio.io".
func (p *Policy) NewReader(src io.Reader, file, kind string) *Reader {
	return p.newReader(src, rootOf(file, kind), windowSize)
}

func (p *Policy) newReader(src io.Reader, root string, window int) *Reader {
	r := &Reader{grammar: grammar{judgments: map[bool]map[string]judgment{}}, policy: p, schema: p.schema, src: src, win: make([]byte, 0, window)}
	r.field = &field{holds: root}
	return r
}

// Counts says what was found so far.
func (r *Reader) Counts() Counts { return r.found }

// Read gives more of the body.
func (r *Reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for len(r.out) <= r.given {
		if r.err != nil {
			return 0, r.err
		}
		r.next()
	}
	n := copy(p, r.out[r.given:])
	r.given += n
	if r.given == len(r.out) {
		r.out, r.given = r.out[:0], 0
	}
	return n, nil
}

// next understands one more token, or a piece of one.
func (r *Reader) next() {
	var err error
	if r.long != nil {
		err = r.piece()
	} else {
		err = r.token()
	}
	if err == nil {
		return
	}
	if err == io.EOF { // the end, and in place
		r.flush(r.at)
	}
	r.err = err
}

// flush lets what is before end be given as it is.
func (r *Reader) flush(end int) {
	r.out = append(r.out, r.win[r.mark:end]...)
	r.mark = end
}

// skip leaves out what is before end.
func (r *Reader) skip(end int) { r.mark = end }

// fill reads more, and keeps in the window what begins at r.at. It gives by
// how much places in the window moved; errFull when there is no room.
func (r *Reader) fill() (moved int, err error) {
	if r.drained != nil {
		return 0, r.drained
	}
	if r.at > 0 {
		moved = r.at
		r.flush(r.at)
		n := copy(r.win, r.win[r.at:])
		r.win, r.at, r.mark = r.win[:n], 0, 0
		r.base += int64(moved)
	}
	if len(r.win) == cap(r.win) {
		return moved, errFull
	}
	const patience = 100 // reads that give nothing, as bufio has it
	for range patience {
		n, err := r.src.Read(r.win[len(r.win):cap(r.win)])
		r.win = r.win[:len(r.win)+n]
		if err != nil {
			r.drained = err
		}
		if n > 0 {
			return moved, nil
		}
		if err != nil {
			return moved, err
		}
	}
	return moved, io.ErrNoProgress
}

var errFull = errors.New("the window is full")

// widen makes room for a longer string, to a bound.
func (r *Reader) widen() bool {
	if cap(r.win) >= widest || cap(r.win) < windowSize {
		return false
	}
	r.win = append(make([]byte, 0, 4*cap(r.win)), r.win...)
	return true
}

// broken is the error of a body that is no JSON.
func (r *Reader) broken(what string, at int) error {
	return fmt.Errorf("%s at byte %d", what, r.base+int64(at))
}

// put puts a text in the place of win[from:to].
func (r *Reader) put(from, to int, text string) {
	r.flush(from)
	r.out = append(r.out, text...)
	r.skip(to)
}

// digest gives what stands for a text.
func (r *Reader) digest(text []byte) string {
	const most, longest = 4096, 256 // of what is remembered
	r.found.Digested++
	if d, ok := r.digests[string(text)]; ok {
		return d
	}
	if r.mac == nil {
		r.mac = r.policy.hash()
	}
	r.mac.Reset()
	r.mac.Write(text)
	var sum [32]byte
	d := asDigest(r.mac.Sum(sum[:0]))
	if len(text) <= longest {
		if r.digests == nil || len(r.digests) == most {
			r.digests = map[string]string{}
		}
		r.digests[string(text)] = d
	}
	return d
}
