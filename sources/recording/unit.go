package recording

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"sync"

	"github.com/meshq/kubectl-meshq/sources/inventory"
	"github.com/meshq/kubectl-meshq/sources/kube"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/redact"
	"github.com/meshq/kubectl-meshq/sources/requests"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// A unit is what is asked of one server, one request after another: an Envoy
// answers one request at a time, and one that can't be reached is not asked
// again. Each Kubernetes resource is a unit of its own.
type unit struct {
	isProxy bool
	wants   []want
	done    chan struct{} // closed when what follows is complete

	files  []*file
	faults []*mesh.Fault
	err    error // the context's
}

// A want is a request and what becomes of its answer.
type want struct {
	requests.Request
	also   string                      // what to ask for where the request has no answer
	places []inventory.Place           // where a proxy can be asked; nil for others
	file   func(transport.Form) string // the name of the file; empty: a snapshot has none for the form
	fault  mesh.Fault                  // the fault of a missing answer, without its Err
	kind   string                      // of the objects in a Kubernetes list, with their group
}

// fetch asks for all that a unit wants.
func (r *recorder) fetch(ctx context.Context, u *unit) {
	for i, w := range u.wants {
		f, err := r.fetchFile(ctx, w)
		if err != nil && w.To == requests.Kubernetes && r.cluster.IsLive() && errors.Is(err, fs.ErrNotExist) && !r.cluster.CannotHave(err) {
			f, err = emptyList(w), nil
		}
		if ctx.Err() != nil {
			u.err = context.Cause(ctx)
			return
		}
		r.tally.answered(f)
		switch {
		case err == nil:
			u.files = append(u.files, f)
		case !r.isOptional(w, err):
			fault := w.fault
			fault.Err = err
			u.faults = append(u.faults, &fault)
			if !isReachable(err) {
				for range u.wants[i+1:] {
					r.tally.answered(nil)
				}
				return
			}
		}
	}
}

// emptyList returns the file of a resource that the cluster doesn't have, so that
// reading it back yields an empty list, as the cluster does.
func emptyList(w want) *file {
	text := `{"apiVersion":"v1","items":[],"kind":"List"}` + "\n"
	return &file{
		name: w.file(transport.JSON), size: int64(len(text)), discard: func() {},
		body: &transport.Body{Bytes: strings.NewReader(text), Name: w.What, Form: transport.JSON},
	}
}

// size returns how many bytes the answers have.
func (u *unit) size() (n int64) {
	for _, f := range u.files {
		n += f.body.Size()
	}
	return n
}

// isOptional reports whether a missing answer is no fault: a snapshot that does
// not have it, a resource that a cluster doesn't have, an endpoint that an older
// istiod doesn't have.
func (r *recorder) isOptional(w want, err error) bool {
	if errors.Is(err, fs.ErrNotExist) {
		return !r.cluster.IsLive() || w.To == requests.Kubernetes // which a mesh given by addresses doesn't have
	}
	return w.To == requests.Pilot && requests.IsNotFound(err)
}

// isReachable reports whether a server that failed one request may still answer
// another.
func isReachable(err error) bool {
	var status requests.StatusError
	return errors.As(err, &status) || errors.As(err, new(*unusableError))
}

// An unusableError is the error of an answer that came and can't be recorded.
type unusableError struct{ error }

func (u *unusableError) Unwrap() error { return u.error }

// fetchFile sends a request and makes a file of the answer.
func (r *recorder) fetchFile(ctx context.Context, w want) (*file, error) {
	body, err := r.answer(ctx, w)
	if err != nil {
		return nil, err
	}
	f := &file{body: body, kind: w.kind, discard: r.discardOf(w, body)}
	form := transport.JSON
	if body.Form == transport.Text {
		form = transport.Text
	}
	if f.name = w.file(form); f.name == "" {
		err = errors.New("a snapshot has no place for it")
	} else {
		err = f.measure(ctx, r.policy)
	}
	if err != nil {
		f.discard()
		return nil, &unusableError{err}
	}
	return f, nil
}

// answer returns the answer to a request. Answers that the inventory was made of
// must be in the snapshot as they were then; all others are fetched again, and
// not kept.
func (r *recorder) answer(ctx context.Context, w want) (body *transport.Body, err error) {
	if isOfInventory(w.Request) {
		return r.Client.Ask(ctx, w.Request)
	}
	if w.places == nil {
		body, err = w.Send(ctx)
		if w.also != "" && errors.Is(err, fs.ErrNotExist) {
			w.What = w.also
			body, err = w.Send(ctx)
		}
		return body, err
	}
	for _, at := range w.places {
		b, e := at.Request(w.What).Send(ctx)
		if e == nil || !errors.Is(e, fs.ErrNotExist) {
			return b, e
		}
		err = cmp.Or(err, e)
	}
	return nil, err
}

// isOfInventory reports whether the inventory is made of the answer.
func isOfInventory(q requests.Request) bool {
	return q.To == requests.Pilot && (q.What == "syncz" || q.What == "adsz") || q.To == requests.Kubernetes && q.What == "pods"
}

// discardOf returns what frees an answer of a live mesh. Answers of the inventory
// and of Kubernetes are still needed.
func (r *recorder) discardOf(w want, body *transport.Body) func() {
	d, ok := body.Bytes.(interface{ Discard() })
	if !ok || !r.cluster.IsLive() || w.To == requests.Kubernetes || isOfInventory(w.Request) {
		return func() {}
	}
	return d.Discard
}

// A file is a file that will be written: an answer, and what is known of it
// after redaction.
type file struct {
	name    string
	body    *transport.Body
	kind    string // of the objects in a Kubernetes list
	size    int64
	found   redact.Counts
	discard func() // frees the answer
}

// open returns the file's bytes, redacted. close must be called in the end.
func (f *file) open(ctx context.Context, p *redact.Policy) (r redacted, close func(), err error) {
	var src io.Reader = &contextReader{ctx, io.NewSectionReader(f.body, 0, f.body.Size())}
	close = func() {}
	switch f.body.Form {
	case transport.Text:
		return p.NewLineReader(src), close, nil
	case transport.YAML: // of a bug report, which is in memory anyway
		text, err := kube.FromYAML(ctx, f.body)
		if err != nil {
			return nil, nil, err
		}
		src = bytes.NewReader(text)
	case transport.Protobuf:
		pr, pw := io.Pipe()
		var writing sync.WaitGroup
		writing.Go(func() { pw.CloseWithError(kube.WriteProtobufJSON(ctx, pw, f.body)) })
		src, close = pr, func() { pr.Close(); writing.Wait() }
	}
	return p.NewReader(src, f.name, f.kind), close, nil
}

// redacted is a reader that counts what it redacts.
type redacted interface {
	io.Reader
	Counts() redact.Counts
}

// measure reads the answer once to know its size after redaction: an archive
// wants the size of a file before its bytes.
func (f *file) measure(ctx context.Context, p *redact.Policy) error {
	r, close, err := f.open(ctx, p)
	if err != nil {
		return err
	}
	defer close()
	f.size, err = io.Copy(io.Discard, r)
	f.found = r.Counts()
	return err
}

// A contextReader reads until its context ends.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c *contextReader) Read(p []byte) (int, error) {
	if err := context.Cause(c.ctx); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
