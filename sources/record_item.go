package sources

import (
	"context"
	"io"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/redact"
)

// An item is a file to be: an answer, and what is left of it.
type item struct {
	name  string
	bytes decode.Bytes
	text  bool // it is written as it came
	size  int64
	kinds redact.Kinds
	drop  func() // gives back what the answer takes
}

// open gives the file's bytes.
func (it *item) open(ctx context.Context) io.Reader {
	r := io.Reader(&whileReader{ctx, io.NewSectionReader(it.bytes, 0, it.bytes.Size())})
	if it.text {
		return r
	}
	return redact.NewReader(r)
}

// look reads the answer once, to know what is left of it: an archive wants the
// size of a file before its bytes.
func (it *item) look(ctx context.Context) error {
	if it.text {
		it.size = it.bytes.Size()
		return nil
	}
	r := redact.NewReader(&whileReader{ctx, io.NewSectionReader(it.bytes, 0, it.bytes.Size())})
	n, err := io.Copy(io.Discard, r)
	it.size, it.kinds = n, r.Kinds()
	return err
}

// A whileReader reads until ctx ends.
type whileReader struct {
	ctx context.Context
	r   io.Reader
}

func (w *whileReader) Read(p []byte) (int, error) {
	if err := context.Cause(w.ctx); err != nil {
		return 0, err
	}
	return w.r.Read(p)
}
