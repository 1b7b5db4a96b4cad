package sources

import (
	"bytes"
	"context"
	"io"
	"sync"

	"github.com/meshq/kubectl-meshq/sources/kube"
	"github.com/meshq/kubectl-meshq/sources/redact"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// An item is a file to be: an answer, and what is left of it.
type item struct {
	name  string
	body  *transport.Body
	form  transport.Form // that it is written in
	size  int64
	kinds redact.Kinds
	drop  func() // gives back what the answer takes
}

// open gives the file's bytes; close must be called in the end.
func (it *item) open(ctx context.Context) (r io.Reader, close func(), err error) {
	whole := io.NewSectionReader(it.body, 0, it.body.Size())
	r, close = &whileReader{ctx, whole}, func() {}
	switch it.body.Form {
	case transport.Text:
		return r, close, nil
	case transport.YAML: // of a bug report, which is held whole
		text, err := kube.FromYAML(ctx, it.body)
		if err != nil {
			return nil, nil, err
		}
		r = bytes.NewReader(text)
	case transport.Protobuf:
		pr, pw := io.Pipe()
		var writing sync.WaitGroup
		writing.Go(func() { pw.CloseWithError(kube.WriteProtobufJSON(ctx, pw, it.body)) })
		r, close = pr, func() { pr.Close(); writing.Wait() }
	}
	return redact.NewReader(r), close, nil
}

// look reads the answer once, to know what is left of it: an archive wants the
// size of a file before its bytes.
func (it *item) look(ctx context.Context) error {
	if it.form == transport.Text {
		it.size = it.body.Size()
		return nil
	}
	r, close, err := it.open(ctx)
	if err != nil {
		return err
	}
	defer close()
	it.size, err = io.Copy(io.Discard, r)
	if found, ok := r.(*redact.Reader); ok {
		it.kinds = found.Kinds()
	}
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
