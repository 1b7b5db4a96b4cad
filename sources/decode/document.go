package decode

import (
	"context"
	"io"
)

// Bytes is where a document lies: a file, a member of a snapshot, the spool of
// an answer. It may be read by several goroutines at once, and what it holds
// doesn't change.
type Bytes interface {
	io.ReaderAt
	// Size is the number of bytes.
	Size() int64
}

// Limits bound what a document may ask for. The zero value is the usual ones.
type Limits struct {
	// Depth is how many objects and arrays may lie in one another; 0: 10,000,
	// as in encoding/json and gojq.
	Depth int64
	// String is the number of bytes that a string, a number or a name that is
	// looked at may have in the document; 0: 64 MiB. What is skipped may be
	// longer.
	String int64
	// Total is the number of bytes of a document (of each value of a
	// [Stream], with the white space before it); 0: no limit.
	Total int64
}

const (
	defaultDepth  = 10_000
	defaultString = 64 << 20
)

// usual puts the defaults in.
func (l Limits) usual() Limits {
	if l.Depth == 0 {
		l.Depth = defaultDepth
	}
	if l.String == 0 {
		l.String = defaultString
	}
	return l
}

// A Document is one JSON document that stays where it lies. Its fields are
// set before the first use; then any number of goroutines may pass over it and
// touch its values.
type Document struct {
	Bytes Bytes

	// Name stands in front of errors, "config_dump.json"; may be empty. Errors
	// of [Document.Pass] don't have it: who asked for the pass puts it there,
	// with [Document.Named]. Errors of a [Value] do, since nobody knows any
	// more, where it is touched, what it is a part of.
	Name string

	// Proxy is the id of the proxy whose document it is, for the faults of its
	// values; may be empty.
	Proxy string

	// Grew is told an estimate of the bytes of memory that a pass builds, while
	// it does, or that a touched value keeps; may be nil. What a pass has built
	// is told, too, when the pass ends with an error. It may be called by
	// several goroutines at once.
	Grew func(bytes int64)

	// Twins gives the table that a pass, or a touched value, shares what it
	// builds by, nil for none; may be nil. Whatever is found there or put there
	// is not told to Grew. It may be called by several goroutines at once, and
	// must not touch values.
	Twins func() *Twins

	Limits Limits

	window int   // of the decoders, in bytes; 0: the usual
	small  int64 // values up to this size are decoded whole; 0: the usual
}

// Pass reads the one JSON value in [off, end), or from off to the end of the
// bytes when end is negative, in a single streaming pass, and gives what root
// wants of it. A nil root only checks it. shape is that of the value.
//
// Values of nodes with a Visit are handed to visit in the order in which they
// end in the document, those inside before what they lie in, with the place
// [off, end) of the value. An error of visit stops the pass and is given back
// as it is. visit may use the document, and may be nil where no node asks for
// it.
//
// An error is a [*SyntaxError], a [*LimitError], the context's (asked at each
// filling of the window), or what reading the bytes said; bytes that end
// before their size are io.ErrUnexpectedEOF.
func (d *Document) Pass(ctx context.Context, off, end int64, shape Shape, root *Node,
	visit func(tag int, v any, off, end int64) error,
) (any, error) {
	dec, err := d.decoder(ctx, off, end)
	if err != nil {
		return nil, err
	}
	defer dec.release()
	dec.visit = visit
	dec.part.built = dec
	v, err := dec.document(root, shape)
	b := dec.bill()
	if err != nil {
		b.own = 0
	}
	d.tell(b)
	return v, err
}

// read is Pass without telling anybody.
func (d *Document) read(ctx context.Context, off, end int64, shape Shape, root *Node,
	visit func(int, any, int64, int64) error,
) (v any, b bill, err error) {
	dec, err := d.decoder(ctx, off, end)
	if err != nil {
		return nil, b, err
	}
	defer dec.release()
	dec.visit = visit
	v, err = dec.document(root, shape)
	return v, dec.bill(), err
}

// decoder gives one that stands at off, to read up to end.
func (d *Document) decoder(ctx context.Context, off, end int64) (*decoder, error) {
	if end < 0 {
		end = d.Bytes.Size()
	}
	if most := d.Limits.Total; most > 0 && end-off > most {
		return nil, &LimitError{Offset: off + most, What: "document", Limit: most}
	}
	dec := d.ahead(ctx, off, end)
	dec.texts.from(d.twins())
	return dec, nil
}

// ahead gives a decoder that builds nothing.
func (d *Document) ahead(ctx context.Context, off, end int64) *decoder {
	dec := borrow()
	dec.doc = d
	dec.part = section{ctx: ctx, bytes: d.Bytes, pos: off, end: end}
	dec.aheadLeft = aheadMost * (end - off)
	dec.open(&dec.part, off, d.Limits, d.window)
	return dec
}

// A bill is what was built and not told yet.
type bill struct {
	own   int64  // bytes for the document alone
	twins *Twins // that may hold more now
}

// bill gives it, once.
func (d *decoder) bill() bill {
	b := bill{d.cost - d.told, d.texts.twins}
	d.told = d.cost
	return b
}

// tell tells what was built. Under no lock of a value: who is told may look at
// values.
func (d *Document) tell(b bill) {
	if b.twins != nil {
		b.twins.tell()
	}
	if d.Grew != nil && b.own > 0 {
		d.Grew(b.own)
	}
}

// section reads a part of a document's bytes, until its context ends.
type section struct {
	ctx      context.Context
	bytes    io.ReaderAt
	pos, end int64
	built    *decoder // of which to tell what it has built; nil: of none
}

func (s *section) Read(b []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	if d := s.built; d != nil { // so that room is made as it is needed
		d.doc.tell(d.bill())
	}
	if s.pos >= s.end {
		return 0, io.EOF
	}
	b = b[:min(int64(len(b)), s.end-s.pos)]
	n, err := s.bytes.ReadAt(b, s.pos)
	s.pos += int64(n)
	switch {
	case n == len(b):
		err = nil
	case err == io.EOF:
		err = io.ErrUnexpectedEOF // there are fewer bytes than there were
	}
	return n, err
}
