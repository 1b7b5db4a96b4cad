package decode

import (
	"bytes"
	"io"
)

// Read decodes a stream that consists of one JSON value. The value has no lazy parts,
// and its member names stay unchanged. A returned error is a [*SyntaxError], a
// [*LimitError] or an error of the reader.
func Read(r io.Reader, l Limits) (any, error) { return readAll(r, l, 0) }

func readAll(r io.Reader, l Limits, window int) (any, error) {
	d := borrow()
	defer d.release()
	d.texts.from(nil)
	d.open(r, 0, l, window)
	return d.document(wholeNode, nil)
}

// A Stream reads a sequence of JSON values, with or without white space between
// them. As in jq, white space is only required after numbers and words.
type Stream struct {
	d     *decoder
	err   error
	lines *lines
}

// NewStream returns a stream that reads from r. It reads up to 64 KB beyond the
// current value.
func NewStream(r io.Reader, l Limits) *Stream { return newStream(r, l, 0) }

func newStream(r io.Reader, l Limits, window int) *Stream {
	d := newDecoder()
	counted := &lines{r: r}
	d.open(counted, 0, l, window)
	d.jqNumbers = true
	return &Stream{d: d, lines: counted}
}

// Line returns the number of lines read up to the end of the last value, including
// the rest of its line, as jq's input_line_number counts them. A last line without a
// newline isn't counted.
func (s *Stream) Line() int { return s.lines.upTo(s.d.offset()) }

// Offset returns the number of bytes up to the end of the last value that Next
// returned.
func (s *Stream) Offset() int64 { return s.d.offset() }

// lines counts the newlines in the bytes that are read.
type lines struct {
	r     io.Reader
	read  int64
	ahead []int64 // offsets of newlines that were read; some of them are already counted
	n     int     // number of newlines that were counted
	first int     // index in ahead of the first newline that hasn't been counted
}

func (l *lines) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	l.ahead = append(l.ahead[:0], l.ahead[l.first:]...)
	l.first = 0
	for at := 0; ; at++ {
		i := bytes.IndexByte(p[at:n], '\n')
		if i < 0 {
			break
		}
		at += i
		l.ahead = append(l.ahead, l.read+int64(at))
	}
	l.read += int64(n)
	return n, err
}

func (l *lines) upTo(offset int64) int {
	for l.first < len(l.ahead) && l.ahead[l.first] < offset {
		l.first++
		l.n++
	}
	return l.n + min(1, len(l.ahead)-l.first)
}

// Next returns the next value, or io.EOF if there are no more. The value has no lazy
// parts, and its member names stay unchanged. After an error Next returns the same
// error again.
func (s *Stream) Next() (any, error) {
	if s.err != nil {
		return nil, s.err
	}
	v, err := s.next()
	if err != nil {
		s.err = err
		return nil, err
	}
	s.Line() // Line also frees the memory for the newlines before this value
	return v, nil
}

func (s *Stream) next() (any, error) {
	d := s.d
	if err := d.skipBOM(); err != nil {
		return nil, err
	}
	c := d.next()
	if c == 0 && d.atEnd() {
		if d.err != nil {
			return nil, d.err
		}
		return nil, io.EOF
	}
	v, err := d.value(wholeNode, nil)
	if err != nil {
		return nil, err
	}
	if word := c != '{' && c != '[' && c != '"'; word && !d.atEnd() && needsSpaceAfterWord(d.mem[d.p]) {
		return nil, d.fail(d.p, "white space after a number or a word")
	}
	d.from, d.cost = d.offset(), 0
	return v, nil
}

// needsSpaceAfterWord reports whether c must not directly follow a number or a word.
func needsSpaceAfterWord(c byte) bool {
	switch c {
	case ' ', '\n', '\r', '\t', '{', '[', '"':
		return false
	}
	return true
}
