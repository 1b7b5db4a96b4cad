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

// A decoder turns the bytes of its window into values. It owns its memory and
// may be used again for other bytes; by one goroutine at a time.
type decoder struct {
	window
	own []byte // the memory of the window, unless a long string needs more

	doc       *Document // nil when reading a stream: then there are neither shapes nor offsets
	part      section   // of its bytes
	aheadLeft int64     // bytes of it that may still be read again
	visit     func(tag int, v any, off, end int64) error

	loose bool  // numbers may be what only jq takes for one: see odd
	depth int64 // of the containers we are in
	cost  int64 // bytes of what was built for this document alone
	told  int64 // of that, what it was told of

	sum   uint64 // of the value read last, where there is a table of twins
	texts *interning
	clean []byte   // the last decoded string
	names []string // members under construction, of all levels
	vals  []any
	kinds []uint64 // of skip
}

// idle has decoders between two uses.
var idle = sync.Pool{New: func() any { return newDecoder() }}

func newDecoder() *decoder {
	return &decoder{own: make([]byte, windowSize+pad), texts: &interning{}}
}

// open gives the decoder a source to read from, through a window of size
// bytes; 0 for the usual.
func (d *decoder) open(src io.Reader, off int64, l Limits, size int) {
	d.mem = d.own
	if size > 0 {
		d.mem = d.own[:size+pad]
	}
	d.start(src, off, l)
}

// borrow gives an idle decoder, to be released.
func borrow() *decoder { return idle.Get().(*decoder) }

// release gives the decoder back, with nothing in it that keeps something else
// alive or is larger than usual.
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
	d.depth, d.cost, d.told = 0, 0, 0
	idle.Put(d)
}

// document reads the one value of the bytes.
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

// begin goes to the first byte of the first value.
func (d *decoder) begin() error {
	if err := d.overBOM(); err != nil {
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

// overBOM goes over a byte order mark at the start of a document.
func (d *decoder) overBOM() error {
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

// value reads the value that we stand at.
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
	case n.blind():
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

// kept leaves a container in the bytes.
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

// place leaves an object in the bytes, but for what is to be known of it.
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
	if d.loose && (c == '-' || c-'0' >= 10) {
		if v, ok, err := d.odd(c); ok || err != nil {
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

// odd gives what only jq takes for a number: nan and infinity in any case, and
// numbers with a plus sign or nothing in front of their point. Ok is false where
// none of these stands here.
func (d *decoder) odd(c byte) (v any, ok bool, err error) {
	at := 0
	if c == '-' || c == '+' {
		at = 1
		if err := d.ahead(2); err != nil {
			return nil, false, nil // what it is says who reads it
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
	const longest = 400 // a number that is longer is none of these
	n := at
	for n < longest && d.ahead(n+1) == nil && isWord(d.mem[d.p+n]) {
		n++
	}
	text := string(d.mem[d.p : d.p+n])
	if strings.EqualFold(text[at:], "nan") {
		text = text[at:] // a sign says nothing of it
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

// literal goes over s, of which the first byte was seen.
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
