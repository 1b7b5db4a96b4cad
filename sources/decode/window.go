package decode

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"
)

const (
	windowSize = 64 << 10
	pad        = 8 // zero bytes after the window; every scan stops at them, so that no scan has to check for the end

	ones   = 0x0101010101010101
	tops   = 0x8080808080808080
	spaces = ones * ' '
)

// A window is the part of a document that is currently in memory.
type window struct {
	src io.Reader
	mem []byte // the memory of the window; the bytes mem[n:n+pad] are zero
	n   int    // number of bytes in the window
	p   int    // the current position in mem; at most n
	// the bytes from this index on stay in memory when the window moves; -1
	// means that bytes before p may be dropped
	mark int
	base int64 // the offset in the document of the window's first byte
	from int64 // the offset in the document from which the limit on the total size counts
	done bool  // true if src has no more bytes
	err  error // the error that ended src, if it isn't io.EOF

	limits Limits
}

func (w *window) start(src io.Reader, off int64, l Limits) {
	w.src, w.limits = src, l.usual()
	w.n, w.p, w.mark, w.base, w.from, w.done, w.err = 0, 0, -1, off, off, false, nil
	clear(w.mem[:pad])
}

// offset returns the current position as an offset in the document.
func (w *window) offset() int64 { return w.base + int64(w.p) }

// fill drops the bytes before the mark (before p, if there is no mark) and reads
// more bytes. It adjusts p and mark, because the remaining bytes move. It returns
// false at the end of the input.
func (w *window) fill() bool {
	if w.done || w.over() {
		return false
	}
	w.slide()
	if size := len(w.mem) - pad; size-w.n <= size/4 {
		mem := make([]byte, 2*size+pad)
		copy(mem, w.mem[:w.n])
		w.mem = mem
	}
	m, err := w.read(w.mem[w.n : len(w.mem)-pad])
	w.n += m
	clear(w.mem[w.n : w.n+pad])
	if err != nil {
		w.done = true
		if err != io.EOF {
			w.err = err
		}
	}
	return m > 0
}

// over reports whether reading further would exceed a limit.
func (w *window) over() bool {
	if most := w.limits.Total; most > 0 && w.base+int64(w.n)-w.from > most {
		w.err = &LimitError{Offset: w.from + most, What: "document", Limit: most}
	} else if w.mark >= 0 && int64(w.n-w.mark) > w.limits.String+2 {
		w.err = &LimitError{Offset: w.base + int64(w.mark), What: "string", Limit: w.limits.String}
	}
	w.done = w.err != nil
	return w.done
}

func (w *window) slide() {
	keep := w.p
	if w.mark >= 0 {
		keep = w.mark
		w.mark = 0
	}
	if keep > 0 {
		copy(w.mem, w.mem[keep:w.n])
		w.n -= keep
		w.p -= keep
		w.base += int64(keep)
	}
}

// read calls Read until it returns bytes or an error, but at most 100 times.
func (w *window) read(b []byte) (int, error) {
	for range 100 {
		if n, err := w.src.Read(b); n > 0 || err != nil {
			return n, err
		}
	}
	return 0, io.ErrNoProgress
}

func word(b []byte, p int) uint64 { return binary.LittleEndian.Uint64(b[p : p+8 : len(b)]) }

// next skips white space and returns the byte at the new position. It returns 0 at
// the end of the input, and also for a NUL byte, which no valid JSON has at this
// position.
func (w *window) next() byte {
	if c := w.mem[w.p]; c > ' ' {
		return c
	}
	return w.nextAfterSpace()
}

func (w *window) nextAfterSpace() byte {
	for {
		b, p := w.mem, w.p
		switch c := b[p]; c {
		case ' ', '\n', '\r', '\t':
			w.p = overSpaces(b, p+1)
		case 0:
			if p < w.n || !w.fill() {
				return 0
			}
		default:
			return c
		}
	}
}

func overSpaces(b []byte, p int) int {
	for {
		if x := word(b, p) ^ spaces; x != 0 {
			return p + bits.TrailingZeros64(x)>>3
		}
		p += 8
	}
}

// atEnd reports whether the current position is the end of the input.
func (w *window) atEnd() bool { return w.p >= w.n && !w.fill() }

// end returns the error for input that ends within a value.
func (w *window) end() error {
	if w.err != nil {
		return w.err
	}
	return &SyntaxError{w.base + int64(w.n), "unexpected end of JSON"}
}

// fail returns the error for an unexpected byte at p.
func (w *window) fail(p int, expected string) error {
	if p >= w.n {
		return w.end()
	}
	c := w.mem[p]
	found := fmt.Sprintf("%q", c)
	if c < ' ' || c >= 0x7f {
		found = fmt.Sprintf("byte 0x%02x", c)
	}
	return &SyntaxError{w.base + int64(p), "expected " + expected + " but found " + found}
}
