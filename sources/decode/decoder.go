package decode

import (
	"errors"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// A decoder decodes JSON. It reads the source through a window, a buffer with the
// bytes around the current position. A decoder can be reused for another source; it
// keeps its buffers. Only one goroutine at a time may use it.
type decoder struct {
	window
	own []byte // the window's memory, unless a long string needs a larger buffer

	doc       *Document // the document; nil if the decoder reads a stream, which has neither shapes nor offsets
	part      section   // the part of the document that is being read
	aheadLeft int64     // number of bytes that may still be read twice to find an "@type"
	visit     func(tag int, v any, off, end int64) error

	jqNumbers bool  // true if the numbers that only jq accepts, such as nan, are valid
	depth     int64 // nesting depth of the current position
	cost      int64 // number of bytes allocated for this document alone
	reported  int64 // the part of cost that was already reported to the document's Grew

	sum   uint64 // the hash of the last value, if values are shared through a table
	texts *interning
	clean []byte   // the last decoded string; its buffer is reused
	names []string // the members of all objects and arrays that aren't complete yet
	vals  []any
	kinds []uint64 // reused by skip as its stack of open containers
}

// idle is the pool of decoders that are not in use.
var idle = sync.Pool{New: func() any { return newDecoder() }}

func newDecoder() *decoder {
	return &decoder{own: make([]byte, windowSize+pad), texts: &interning{}}
}

// open sets the source that the decoder reads. size is the size of the window in
// bytes; 0 means the default.
func (d *decoder) open(src io.Reader, off int64, l Limits, size int) {
	d.mem = d.own
	if size > 0 {
		d.mem = d.own[:size+pad]
	}
	d.start(src, off, l)
}

// borrow takes a decoder from the pool. The caller must release it.
func borrow() *decoder { return idle.Get().(*decoder) }

// release returns the decoder to the pool. It first drops references to other values
// and buffers that are larger than usual.
func (d *decoder) release() {
	const most = 1 << 16
	clear(d.names)
	clear(d.vals)
	d.names, d.vals = d.names[:0], d.vals[:0]
	if cap(d.vals) > most {
		d.names, d.vals = nil, nil
	}
	if cap(d.clean) > most {
		d.clean = nil
	}
	d.window = window{}
	d.doc, d.part, d.visit, d.texts.twins = nil, section{}, nil, nil
	d.depth, d.cost, d.reported = 0, 0, 0
	idle.Put(d)
}

// document reads the document's only value.
func (d *decoder) document(n *Node, s Shape) (any, error) {
	if err := d.begin(); err != nil {
		return nil, err
	}
	v, err := d.value(n, s)
	if err != nil {
		return nil, err
	}
	if d.next() != 0 || !d.atEnd() {
		return nil, d.fail(d.p, "nothing after the JSON value")
	}
	if d.err != nil {
		return nil, d.err
	}
	return v, nil
}

// begin moves to the first byte of the first value.
func (d *decoder) begin() error {
	if err := d.skipBOM(); err != nil {
		return err
	}
	if d.next() != 0 || !d.atEnd() {
		return nil
	}
	switch {
	case d.err != nil:
		return d.err
	case d.offset() == d.from:
		return &SyntaxError{d.from, "empty input instead of JSON"}
	}
	return &SyntaxError{d.offset(), "only white space instead of JSON"}
}

// skipBOM skips a byte order mark at the start of a document.
func (d *decoder) skipBOM() error {
	const bom = "\uFEFF"
	if d.offset() != 0 || d.atEnd() {
		return nil
	}
	if c := d.mem[0]; c == 0xfe || c == 0xff {
		return &SyntaxError{0, "UTF-16 or binary data instead of JSON in UTF-8"}
	}
	for i := range len(bom) {
		if d.ahead(i+1) != nil || d.mem[i] != bom[i] {
			return nil
		}
	}
	d.p = len(bom)
	return nil
}

// value reads the value at the current position.
func (d *decoder) value(n *Node, s Shape) (v any, err error) {
	if n == nil {
		return nil, d.skip()
	}
	if n.Visit == 0 {
		return d.unvisited(n, s)
	}
	off := d.offset()
	if v, err = d.unvisited(n, s); err != nil {
		return nil, err
	}
	return v, d.visit(n.Visit, v, off, d.offset())
}

func (d *decoder) unvisited(n *Node, s Shape) (v any, err error) {
	c := d.mem[d.p]
	if c != '{' && c != '[' {
		if n.Walk {
			return nil, d.skip()
		}
		if v, ok := s.(Veiled); ok && c == '"' {
			return d.veiled(v)
		}
		return d.scalar(c)
	}
	switch {
	case n.keeps(c == '{'):
		return d.kept(n, s)
	case n.ignoresContent():
		return nil, d.skip()
	}
	if d.depth++; d.depth > d.limits.Depth {
		return nil, d.tooDeep(d.p)
	}
	switch {
	case c == '{' && n.Place:
		v, err = d.place(n, s)
	case c == '{':
		v, err = d.object(n, s)
	default:
		v, err = d.array(n, s)
	}
	d.depth--
	return v, err
}

func (d *decoder) tooDeep(p int) error {
	return &LimitError{Offset: d.base + int64(p), What: "nesting", Limit: d.limits.Depth}
}

// kept skips a container and returns it as a Value.
func (d *decoder) kept(n *Node, s Shape) (any, error) {
	off, object := d.offset(), d.mem[d.p] == '{'
	if err := d.skip(); err != nil {
		return nil, err
	}
	end := d.offset()
	if n == insideNode && end-off == int64(len("{}")) {
		return d.empty(object), nil
	}
	d.cost += costValue
	d.sum = 0
	return d.doc.Value(off, end, s, object), nil
}

// place skips an object and returns its offsets as a Place, with those members
// decoded that the node selects.
func (d *decoder) place(n *Node, s Shape) (any, error) {
	off := d.offset()
	v, err := d.object(n, s)
	if err != nil {
		return nil, err
	}
	d.cost += costValue
	d.sum = 0
	known, _ := v.(*object.Object)
	return &Place{d.doc.Value(off, d.offset(), s, true), known}, nil
}

func (d *decoder) scalar(c byte) (any, error) {
	switch c {
	case '"':
		b, err := d.text()
		if err != nil {
			return nil, err
		}
		if d.doc != nil && holdsPrivateKey(b) {
			b = []byte(mesh.Redacted)
		}
		v, sum, cost := d.texts.value(b)
		d.cost += cost
		d.sum = sum
		return v, nil
	case 't':
		d.sum = sumTrue
		return true, d.literal("true")
	case 'f':
		d.sum = sumFalse
		return false, d.literal("false")
	}
	if d.jqNumbers && (c == '-' || c-'0' >= 10) {
		if v, ok, err := d.jqNumber(c); ok || err != nil {
			return v, err
		}
	}
	if c == 'n' {
		d.sum = sumNull
		return nil, d.literal("null")
	}
	if c == '-' || c-'0' < 10 {
		return d.number()
	}
	return nil, d.fail(d.p, "a JSON value")
}

// jqNumber reads a number that JSON doesn't have but jq accepts: nan and infinity in
// upper or lower case, and numbers that start with a plus sign or with their decimal
// point. ok is false if there is no such number at the current position.
func (d *decoder) jqNumber(c byte) (v any, ok bool, err error) {
	at := 0
	if c == '-' || c == '+' {
		at = 1
		if err := d.ahead(2); err != nil {
			return nil, false, nil // the caller will read the value again and report the error
		}
	}
	switch first := d.mem[d.p+at]; {
	case first|0x20 == 'i', first == 'N', first == '.', c == '+':
	case first == 'n':
		if d.ahead(at+2) != nil || d.mem[d.p+at+1] == 'u' {
			return nil, false, nil
		}
	default:
		return nil, false, nil
	}
	const longest = 400 // maximum length in bytes of a number that jq accepts
	n := at
	for n < longest && d.ahead(n+1) == nil && isWord(d.mem[d.p+n]) {
		n++
	}
	text := string(d.mem[d.p : d.p+n])
	if strings.EqualFold(text[at:], "nan") {
		text = text[at:] // nan has no sign in jq
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) || strings.ContainsAny(text, "_xXpP") {
		return nil, false, nil
	}
	d.p += n
	d.sum = 0
	return f, true, nil
}

func isWord(c byte) bool {
	return c|0x20-'a' < 26 || c-'0' < 10 || c == '.' || c == '+' || c == '-'
}

// literal skips the word s. The caller has already checked its first byte.
func (w *window) literal(s string) error {
	for i := range len(s) {
		if err := w.ahead(i + 1); err != nil {
			return err
		}
		if w.mem[w.p+i] != s[i] {
			return w.fail(w.p+i, s)
		}
	}
	w.p += len(s)
	return nil
}
