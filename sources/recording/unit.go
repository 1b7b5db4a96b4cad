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

// A unit consists of the requests to one server, which are sent one after
// another: an Envoy answers one request at a time, and a server that can't be
// reached gets no further requests. Each Kubernetes resource is a unit of its
// own.
type unit struct {
	isProxy bool
	wants   []want
	done    chan struct{} // closed when the fields below are complete

	files  []*file
	faults []*mesh.Fault
	err    error // the error of the context, if it ended before the requests did
}

// A want is a request, with the data that the recorder needs to store its answer.
type want struct {
	requests.Request
	also   string            // an alternative file name in the source snapshot; may be empty
	places []inventory.Place // the clusters and names by which a proxy can be reached; nil for other servers
	// returns the name of the file, or "" if a snapshot can't contain an answer
	// in this format
	file  func(transport.Form) string
	fault mesh.Fault // the fault to report if there is no answer; Err is set in that case
	kind  string     // the kind and API group of the objects in a Kubernetes list
}

// fetch sends the requests of a unit and stores their answers in it.
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

// emptyList returns a file with an empty list. It is written for a resource
// that the cluster doesn't have, so that the snapshot has an empty list too.
func emptyList(w want) *file {
	text := `{"apiVersion":"v1","items":[],"kind":"List"}` + "\n"
	return &file{
		name: w.file(transport.JSON), size: int64(len(text)), discard: func() {},
		body: &transport.Body{Bytes: strings.NewReader(text), Name: w.What, Form: transport.JSON},
	}
}

// size returns the total size of the unit's answers in bytes.
func (u *unit) size() (n int64) {
	for _, f := range u.files {
		n += f.body.Size()
	}
	return n
}

// isOptional reports whether a missing answer is not a fault. It is not a fault
// if the source is a snapshot without this answer, if the cluster doesn't have
// the resource, or if istiod is too old for the endpoint.
func (r *recorder) isOptional(w want, err error) bool {
	if errors.Is(err, fs.ErrNotExist) {
		// a live mesh that is specified by addresses has no API server
		return !r.cluster.IsLive() || w.To == requests.Kubernetes
	}
	return w.To == requests.Pilot && requests.IsNotFound(err)
}

// isReachable reports whether a server that failed one request may still answer
// another.
func isReachable(err error) bool {
	var status requests.StatusError
	return errors.As(err, &status) || errors.As(err, new(*unusableError))
}

// An unusableError is the error of an answer that was received but can't be
// recorded.
type unusableError struct{ error }

func (u *unusableError) Unwrap() error { return u.error }

// fetchFile sends a request and creates a file from the answer.
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

// answer returns the answer to a request. The snapshot must contain unchanged
// the answers from which the inventory was built, so these come from the cache.
// All other answers are fetched again, and not kept in memory.
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

// isOfInventory reports whether the inventory is built from the answer to a
// request.
func isOfInventory(q requests.Request) bool {
	return q.To == requests.Pilot && (q.What == "syncz" || q.What == "adsz") || q.To == requests.Kubernetes && q.What == "pods"
}

// discardOf returns a function that frees an answer of a live mesh. The function
// does nothing for answers of the inventory and of Kubernetes, because they are
// still needed.
func (r *recorder) discardOf(w want, body *transport.Body) func() {
	d, ok := body.Bytes.(interface{ Discard() })
	if !ok || !r.cluster.IsLive() || w.To == requests.Kubernetes || isOfInventory(w.Request) {
		return func() {}
	}
	return d.Discard
}

// A file is a file of the snapshot that has not been written yet. It has an
// answer, the answer's size, and the number of redactions that measure has
// counted.
type file struct {
	name    string
	body    *transport.Body
	kind    string // the kind of the objects in a Kubernetes list
	size    int64
	found   redact.Counts
	discard func() // frees the memory of the answer
}

// open returns a reader of the redacted bytes of the file. The caller must call
// close when it has read them.
func (f *file) open(ctx context.Context, p *redact.Policy) (r redacted, close func(), err error) {
	var src io.Reader = &contextReader{ctx, io.NewSectionReader(f.body, 0, f.body.Size())}
	close = func() {}
	switch f.body.Form {
	case transport.Text:
		return p.NewLineReader(src), close, nil
	case transport.YAML: // only bug reports contain YAML, and their files are small enough to convert in memory
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

// A redacted is a reader that counts what it redacts.
type redacted interface {
	io.Reader
	Counts() redact.Counts
}

// measure reads the answer once to find out its size after redaction, because an
// archive needs the size of a file before its bytes.
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

// A contextReader reads from r until its context ends.
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
