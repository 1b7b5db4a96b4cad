package redact

import (
	"errors"
	"fmt"
	"io"
)

const (
	windowSize = 64 << 10
	maxHeld    = 64 << 10 // of what waits for something behind it that says what it is
	maxDepth   = 10_000
)

// A Reader gives a JSON body without what is to be taken out of it. What it
// gives is the same however the body comes in pieces, and however often it is
// read. It is used by one goroutine.
//
// A body that is no JSON is an error, and nothing that follows what was wrong
// is given: nobody can tell what it is.
type Reader struct {
	src     io.Reader
	win     []byte // some of the body
	at      int    // what of win is not yet understood
	mark    int    // win[mark:at] is to be given as it is
	base    int64  // how much of the body is before win
	drained error  // what src said at its end

	out     []byte
	given   int // of out
	pending []candidate
	found   Kinds
	err     error

	grammar
	long *long // the string that is too large for the window, while in it
}

// A candidate is a string, out[from:to], of which the object that owns it has
// not yet said what it is.
type candidate struct {
	from, to int
	owner    int // the frame's place on the stack
	of       question
	rule     rule
}

// NewReader gives a Reader of the body that src gives.
func NewReader(src io.Reader) *Reader { return newReader(src, windowSize) }

func newReader(src io.Reader, window int) *Reader {
	return &Reader{src: src, win: make([]byte, 0, window)}
}

// Kinds says what was found so far, what somebody else had taken out already
// included.
func (r *Reader) Kinds() Kinds { return r.found }

// Read gives more of the body.
func (r *Reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for r.ready() <= r.given {
		if r.err != nil {
			return 0, r.err
		}
		r.next()
	}
	n := copy(p, r.out[r.given:r.ready()])
	r.given += n
	if r.given == len(r.out) && len(r.pending) == 0 {
		r.out, r.given = r.out[:0], 0
	}
	return n, nil
}

// ready is how much of out may be given.
func (r *Reader) ready() int {
	if len(r.pending) > 0 {
		return r.pending[0].from
	}
	return len(r.out)
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
	if len(r.pending) > 0 && len(r.out)-r.pending[0].from > maxHeld {
		r.giveUp()
	}
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

// broken is the error of a body that is no JSON.
func (r *Reader) broken(what string, at int) error {
	return fmt.Errorf("%s at byte %d", what, r.base+int64(at))
}

// replace puts what stands for a secret in the place of win[from:to].
func (r *Reader) replace(from, to int, ru rule) {
	r.flush(from)
	r.out = append(r.out, stand(ru)...)
	r.skip(to)
	r.found |= ru.kinds
}

func stand(ru rule) string {
	if ru.bytes {
		return "W3JlZGFjdGVkXQ=="
	}
	return "[redacted]"
}

// hold keeps win[from:to] until its owner has an answer.
func (r *Reader) hold(from, to int, j judgement) {
	r.flush(from)
	start := len(r.out)
	r.out = append(r.out, r.win[from:to]...)
	r.skip(to)
	r.pending = append(r.pending, candidate{start, len(r.out), j.owner, j.of, j.rule})
}

// decide answers a question about an owner: its candidates are secrets, or not.
func (r *Reader) decide(owner int, of question, secret bool) {
	r.stack[owner].answers[of] = cold
	if secret {
		r.stack[owner].answers[of] = hot
	}
	kept := r.pending[:0]
	moved := 0
	for _, c := range r.pending {
		c.from, c.to = c.from+moved, c.to+moved
		if c.owner != owner || c.of != of {
			kept = append(kept, c)
			continue
		}
		if !secret {
			continue
		}
		text := stand(c.rule)
		tail := len(r.out) - c.to
		r.out = append(r.out, text...) // room for it, whichever is longer
		copy(r.out[c.from+len(text):], r.out[c.to:c.to+tail])
		copy(r.out[c.from:], text)
		r.out = r.out[:c.from+len(text)+tail]
		moved += len(text) - (c.to - c.from)
		r.found |= c.rule.kinds
	}
	r.pending = kept
}

// giveUp takes out what has waited too long, to be safe.
func (r *Reader) giveUp() {
	for len(r.pending) > 0 {
		r.decide(r.pending[0].owner, r.pending[0].of, true)
	}
}
