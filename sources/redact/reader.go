package redact

import (
	"errors"
	"fmt"
	"hash"
	"io"
)

const (
	windowSize = 64 << 10
	widest     = 1 << 20 // largest size of the window in bytes
	maxDepth   = 10_000
)

// A Reader returns a JSON body with its secrets redacted. The result doesn't depend
// on how the body is split into reads. Only one goroutine at a time may use a
// Reader.
//
// A body that isn't JSON is an error. The reader returns nothing after the syntax
// error, because it can't tell what follows.
type Reader struct {
	policy  *Policy
	schema  *schema
	src     io.Reader
	win     []byte // the window: the part of the body that is in memory
	at      int    // the index in win from which the body isn't parsed yet
	mark    int    // the index in win from which the parsed bytes will be returned unchanged
	base    int64  // offset of the window in the body
	drained error  // the error or io.EOF that ended src

	out   []byte
	given int // number of bytes of out that Read has returned
	found Counts
	err   error

	text0   []byte // buffer for a string whose escapes were decoded
	mac     hash.Hash
	digests map[string]string

	grammar
	long *long // the current string, if it is longer than the window
}

// Counts is the number of texts that were replaced by a digest and by a fixed word.
type Counts struct{ Digested, Dropped int }

// NewReader returns a Reader of a body that is stored in a snapshot under the name
// file. If the body is a list of Kubernetes objects, kind is their kind, for
// example "Gateway.networking.istio.io".
func (p *Policy) NewReader(src io.Reader, file, kind string) *Reader {
	return p.newReader(src, rootOf(file, kind), windowSize)
}

func (p *Policy) newReader(src io.Reader, root string, window int) *Reader {
	r := &Reader{grammar: grammar{judgments: map[bool]map[string]judgment{}}, policy: p, schema: p.schema, src: src, win: make([]byte, 0, window)}
	r.field = &field{holds: root}
	return r
}

// Counts returns how many texts were replaced so far.
func (r *Reader) Counts() Counts { return r.found }

// Read returns more of the redacted body.
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

// next parses one more token, or a piece of a long string.
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
	if err == io.EOF { // io.EOF is the regular end of the body
		r.flush(r.at)
	}
	r.err = err
}

// flush copies the bytes before end to the output unchanged.
func (r *Reader) flush(end int) {
	r.out = append(r.out, r.win[r.mark:end]...)
	r.mark = end
}

// skip leaves out the bytes before end.
func (r *Reader) skip(end int) { r.mark = end }

// fill reads more bytes into the window and keeps those from r.at on. moved is the
// distance by which these moved towards the start. The error is errFull if the
// window has no free space.
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
	const patience = 100 // number of reads without bytes before giving up, as in bufio
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

// widen enlarges the window for a longer string. It returns false if the window
// already has its largest size.
func (r *Reader) widen() bool {
	if cap(r.win) >= widest || cap(r.win) < windowSize {
		return false
	}
	r.win = append(make([]byte, 0, 4*cap(r.win)), r.win...)
	return true
}

// broken returns the error for a body that isn't JSON.
func (r *Reader) broken(what string, at int) error {
	return fmt.Errorf("%s at byte %d", what, r.base+int64(at))
}

// put replaces win[from:to] with a text.
func (r *Reader) put(from, to int, text string) {
	r.flush(from)
	r.out = append(r.out, text...)
	r.skip(to)
}

// digest returns the digest that replaces a text.
func (r *Reader) digest(text []byte) string {
	const most, longest = 4096, 256 // number of cached digests, and length in bytes of a cached text
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
