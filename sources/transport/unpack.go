package transport

import (
	"archive/tar"
	"context"
	"io"
	"math"

	"github.com/meshq/kubectl-meshq/sources/decode"
)

// A diskError is an error of the storage to which bytes are written, as opposed
// to an error of the input.
type diskError struct{ err error }

func (e *diskError) Error() string { return e.err.Error() }
func (e *diskError) Unwrap() error { return e.err }

// A diskWriter is a Writer whose errors are converted to a [diskError].
type diskWriter struct{ w io.Writer }

func (d diskWriter) Write(p []byte) (int, error) {
	n, err := d.w.Write(p)
	if err != nil {
		err = &diskError{err}
	}
	return n, err
}

// mapTar returns the files of an uncompressed archive. A file is later read
// directly from the archive.
func mapTar(ctx context.Context, raw decode.Bytes, o OpenOptions, l *ledger) (*archive, error) {
	r := io.NewSectionReader(raw, 0, raw.Size())
	o.MaxMember = math.MaxInt64 // the size of a file isn't limited, because the file isn't copied
	return readTar(ctx, r, o, l, func(h *tar.Header, _ io.Reader) (decode.Bytes, error) {
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		at, err := r.Seek(0, io.SeekCurrent)
		if err != nil {
			return nil, err
		}
		if h.Size > raw.Size()-at {
			return nil, io.ErrUnexpectedEOF
		}
		return io.NewSectionReader(raw, at, h.Size), nil
	})
}

// storeTar stores the files of a streamed archive in the depot and returns them.
func storeTar(ctx context.Context, r io.Reader, d *Depot, o OpenOptions, l *ledger) (*archive, error) {
	a, err := readTar(ctx, r, o, l, func(h *tar.Header, r io.Reader) (decode.Bytes, error) {
		return store(d, r, h.Size)
	})
	if err != nil {
		return nil, err
	}
	if a.gone == "" {
		err = drain(ctx, r, l)
	}
	return a, err
}

// store copies the next size bytes of r to the depot.
func store(d *Depot, r io.Reader, size int64) (decode.Bytes, error) {
	p := d.sized(size)
	if _, err := io.CopyN(diskWriter{p}, r, size); err != nil {
		p.Discard()
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return trimmed(p)
}

// storeAll copies all bytes of r to the depot.
func storeAll(d *Depot, r io.Reader) (decode.Bytes, error) {
	p := d.Spool()
	if _, err := io.Copy(diskWriter{p}, r); err != nil {
		return nil, err
	}
	return trimmed(p)
}

// trimmed marks a body as complete and returns it.
func trimmed(p *Spool) (decode.Bytes, error) {
	if err := p.Trim(); err != nil {
		return nil, &diskError{err}
	}
	return p, nil
}
