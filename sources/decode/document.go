package decode

import (
	"context"
	"io"
)

// Bytes is the storage of a document: a file, a member of a snapshot, or the spool
// of a response. Several goroutines may read it at once, and its content doesn't
// change.
type Bytes interface {
	io.ReaderAt
	// Size returns the number of bytes.
	Size() int64
}

// Limits restrict the size of a document. The zero value means the defaults.
type Limits struct {
	// Depth is how deep objects and arrays may be nested. 0 means 10,000, as in
	// encoding/json and gojq.
	Depth int64
	// String is the largest size in bytes, in the document, of a string, a number or
	// a name that is decoded. 0 means 64 MiB. Strings that are skipped may be
	// longer.
	String int64
	// Total is the largest size of a document in bytes. In a [Stream] it applies to
	// each value, including the white space before it. 0 means no limit.
	Total int64
}

const (
	defaultDepth  = 10_000
	defaultString = 64 << 20
)

// usual replaces fields that are zero with their defaults.
func (l Limits) usual() Limits {
	if l.Depth == 0 {
		l.Depth = defaultDepth
	}
	if l.String == 0 {
		l.String = defaultString
	}
	return l
}

// A Document is one JSON document, which is read where it is stored. Its fields are
// set before the first use. After that any number of goroutines may run passes over
// it and decode its values.
type Document struct {
	Bytes Bytes

	// Name is put in front of errors, for example "config_dump.json". It may be
	// empty. Errors of [Document.Pass] don't contain it: the caller of the pass adds
	// it with [Document.Named]. Errors of a [Value] do contain it, because a caller
	// that decodes a value doesn't know which document it is from.
	Name string

	// Proxy is the id of the proxy that the document describes. It is used in the
	// faults of its values and may be empty.
	Proxy string

	// Grew is called with an estimate of the bytes of memory that a running pass
	// allocates, or that a decoded value uses. It may be nil. It is called even if
	// the pass ends with an error. Several goroutines may call it at once.
	Grew func(bytes int64)

	// Twins returns the table in which passes and decoded values share equal
	// values, or nil for no table. The function itself may be nil, too. The size of
	// a shared value isn't reported to Grew. Several goroutines may call the
	// function at once, and it must not decode values.
	Twins func() *Twins

	Limits Limits

	window int   // size of the decoders' window in bytes; 0 means the default
	small  int64 // size in bytes up to which values are decoded whole; 0 means wholeMost
}

// Pass reads the JSON value in [off, end), or from off to the end of the document if
// end is negative, in one streaming pass. It returns the parts of the value that
// root selects. With a nil root it only checks the value. shape describes the names
// of the value's members.
//
// The values of nodes that have a Visit are passed to visit in the order in which
// they end in the document, so inner values come before the values that contain
// them. visit also gets the offsets [off, end) of the value. An error of visit stops
// the pass and is returned unchanged. visit may use the document. It may be nil if
// no node has a Visit.
//
// An error is a [*SyntaxError], a [*LimitError], the context's (checked each time
// the window is filled), or the read error of the bytes. If the bytes end before
// their size, the error is io.ErrUnexpectedEOF.
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
	b := dec.takeUsage()
	if err != nil {
		b.own = 0
	}
	d.report(b)
	return v, err
}

// read does the same as Pass, but doesn't report the memory that it allocates.
func (d *Document) read(ctx context.Context, off, end int64, shape Shape, root *Node,
	visit func(int, any, int64, int64) error,
) (v any, b usage, err error) {
	dec, err := d.decoder(ctx, off, end)
	if err != nil {
		return nil, b, err
	}
	defer dec.release()
	dec.visit = visit
	v, err = dec.document(root, shape)
	return v, dec.takeUsage(), err
}

// decoder returns a decoder that reads from off to end and can build values.
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

// ahead returns a decoder that reads from off to end and shares no values. It can
// search and skip values. To build values, the caller must set its table first.
func (d *Document) ahead(ctx context.Context, off, end int64) *decoder {
	dec := borrow()
	dec.doc = d
	dec.part = section{ctx: ctx, bytes: d.Bytes, pos: off, end: end}
	dec.aheadLeft = aheadMost * (end - off)
	dec.open(&dec.part, off, d.Limits, d.window)
	return dec
}

// A usage is the memory that was allocated and hasn't been reported yet.
type usage struct {
	own   int64  // number of bytes allocated for this document alone
	twins *Twins // the table of shared values; the memory by which it has grown is reported as well
}

// takeUsage returns the memory that hasn't been reported yet and marks it as
// reported.
func (d *decoder) takeUsage() usage {
	b := usage{d.cost - d.reported, d.texts.twins}
	d.reported = d.cost
	return b
}

// report reports the allocated memory to Grew and to the table of shared values.
// The caller must not hold a value's lock, because Grew may decode values.
func (d *Document) report(b usage) {
	if b.twins != nil {
		b.twins.report()
	}
	if d.Grew != nil && b.own > 0 {
		d.Grew(b.own)
	}
}

// section is an [io.Reader] of a part of a document's bytes. When its context ends,
// Read returns the context's error.
type section struct {
	ctx      context.Context
	bytes    io.ReaderAt
	pos, end int64
	built    *decoder // the decoder that reports the memory of built values after each read; nil if none does
}

func (s *section) Read(b []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	if d := s.built; d != nil { // report now, so that memory can be freed before more is allocated
		d.doc.report(d.takeUsage())
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
		err = io.ErrUnexpectedEOF // the file has become shorter than its reported size
	}
	return n, err
}
