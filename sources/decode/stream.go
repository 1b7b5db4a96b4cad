package decode

import "io"

// Read reads a stream that is one JSON value and builds it whole, with names
// as they are. Errors are a [*SyntaxError], a [*LimitError] or what the reader
// said.
func Read(r io.Reader, l Limits) (any, error) { return readAll(r, l, 0) }

func readAll(r io.Reader, l Limits, window int) (any, error) {
	d := borrow()
	defer d.release()
	d.texts.from(nil)
	d.open(r, 0, l, window)
	return d.document(wholeNode, nil)
}

// A Stream reads JSON values that follow one another, with or without white
// space between them, as jq does: only numbers and words need some.
type Stream struct {
	d   *decoder
	err error
}

// NewStream reads from r, up to 64 KB ahead of the value wanted.
func NewStream(r io.Reader, l Limits) *Stream { return newStream(r, l, 0) }

func newStream(r io.Reader, l Limits, window int) *Stream {
	d := newDecoder()
	d.open(r, 0, l, window)
	return &Stream{d: d}
}

// Next gives the next value, whole, with names as they are; io.EOF when there
// are no more. After an error it gives that error again.
func (s *Stream) Next() (any, error) {
	if s.err != nil {
		return nil, s.err
	}
	v, err := s.next()
	if err != nil {
		s.err = err
		return nil, err
	}
	return v, nil
}

func (s *Stream) next() (any, error) {
	d := s.d
	if err := d.overBOM(); err != nil {
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
	if word := c != '{' && c != '[' && c != '"'; word && !d.atEnd() && joins(d.mem[d.p]) {
		return nil, d.fail(d.p, "white space after a number or a word")
	}
	d.from, d.cost = d.offset(), 0
	return v, nil
}

// joins tells whether a byte can't follow a number or a word directly.
func joins(c byte) bool {
	switch c {
	case ' ', '\n', '\r', '\t', '{', '[', '"':
		return false
	}
	return true
}
