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
	kind  string         // of the objects of a list of Kubernetes
	size  int64
	found redact.Counts
	drop  func() // gives back what the answer takes
}

// open gives the file's bytes; close must be called in the end.
func (it *item) open(ctx context.Context, p *redact.Policy) (r cleared, close func(), err error) {
	var src io.Reader
	whole := io.NewSectionReader(it.body, 0, it.body.Size())
	src, close = &whileReader{ctx, whole}, func() {}
	switch it.body.Form {
	case transport.Text:
		return p.NewLineReader(src), close, nil
	case transport.YAML: // of a bug report, which is held whole
		text, err := kube.FromYAML(ctx, it.body)
		if err != nil {
			return nil, nil, err
		}
		src = bytes.NewReader(text)
	case transport.Protobuf:
		pr, pw := io.Pipe()
		var writing sync.WaitGroup
		writing.Go(func() { pw.CloseWithError(kube.WriteProtobufJSON(ctx, pw, it.body)) })
		src, close = pr, func() { pr.Close(); writing.Wait() }
	}
	return p.NewReader(src, it.name, it.kind), close, nil
}

// A cleared body is one without what is taken out.
type cleared interface {
	io.Reader
	Counts() redact.Counts
}

// look reads the answer once, to know what is left of it: an archive wants the
// size of a file before its bytes.
func (it *item) look(ctx context.Context, p *redact.Policy) error {
	r, close, err := it.open(ctx, p)
	if err != nil {
		return err
	}
	defer close()
	it.size, err = io.Copy(io.Discard, r)
	it.found = r.Counts()
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
