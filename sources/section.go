package sources

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"sync"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/envoy"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/transport"
	"github.com/meshq/kubectl-meshq/sources/ztunnel"
)

// A reader reads the sections of one proxy. It holds what its sections share,
// and is forgotten when these are evicted.
type reader struct {
	row     *row
	section func(context.Context, mesh.Section) (any, error)

	mu        sync.Mutex
	documents map[string]*decode.Document // by request
}

// section gives the section of a proxy: loaded when it is looked at, whole.
func (r *row) section(s mesh.Section) mesh.Lazy {
	return r.group.Thunk(func(ctx context.Context) (any, error) {
		v, err := r.reading().section(context.WithValue(ctx, loadKey{}, true), s)
		if err != nil {
			return nil, r.m.fail(ctx, &mesh.Fault{Proxy: r.id, Section: string(s), Err: of(s, err)})
		}
		r.m.mu.Lock()
		defer r.m.mu.Unlock()
		r.m.loaded[Loaded{r.id, s}]++
		return v, nil
	})
}

// loadKey marks the context of a section's load, whose errors become faults
// where it ends.
type loadKey struct{}

// reading gives the reader, a new one after an eviction.
func (r *row) reading() *reader {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.reader != nil {
		return r.reader
	}
	d := &reader{row: r, documents: map[string]*decode.Document{}}
	if r.kind() == mesh.ZTunnel {
		z := ztunnel.Proxy{Owner: r.object, Now: r.m.now}
		d.section = func(ctx context.Context, s mesh.Section) (any, error) {
			doc, err := d.fetch(ctx, ztunnel.Request)
			if err != nil {
				return nil, err
			}
			v, err := z.Section(ctx, s, doc)
			return v, doc.Named(err)
		}
	} else if r.lone() {
		d.section = envoy.NewDump(r.object, d.fetch, r.m.now).Section
	} else {
		d.section = envoy.NewProxy(r.object, d.fetch, r.m.now).Section
	}
	r.reader = d
	return d
}

// lone tells whether there is nothing of the proxy but its config dump.
func (r *row) lone() bool {
	return len(r.places) > 0 && !slices.ContainsFunc(r.places, func(p place) bool { return !p.realm.lone() })
}

func (r *row) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reader = nil
}

// fetch gives the document that a request brings: the same one each time.
func (d *reader) fetch(ctx context.Context, request string) (*decode.Document, error) {
	d.mu.Lock()
	doc := d.documents[request]
	d.mu.Unlock()
	if doc != nil {
		return doc, nil
	}
	r := d.row
	body, err := r.fetch(ctx, request)
	if err != nil {
		err = &noAnswer{request, err}
		if ctx.Value(loadKey{}) == nil { // of endpoints' facts, which load on their own
			return nil, r.m.fail(ctx, &mesh.Fault{Proxy: r.id, Section: string(mesh.Endpoints), Err: err})
		}
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if doc = d.documents[request]; doc == nil {
		doc = &decode.Document{Bytes: body, Name: body.Name, Proxy: r.id, Grew: r.group.Grew}
		d.documents[request] = doc
	}
	return doc, nil
}

// fetch asks the proxy, wherever it can be asked.
func (r *row) fetch(ctx context.Context, request string) (*transport.Body, error) {
	places := r.places
	if places == nil {
		places = []place{{r.home, r.id}}
	}
	var first error
	for _, at := range places {
		body, err := r.m.ask(ctx, question{at.realm, aProxy, at.name, request})
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return body, err
		}
		if first == nil {
			first = err
		}
	}
	return nil, first
}

// noAnswer is the error of a request.
type noAnswer struct {
	request string
	err     error
}

func (n *noAnswer) Error() string { return n.request + ": " + n.err.Error() }
func (n *noAnswer) Unwrap() error { return n.err }

// of takes the request's name off an error of the section of the same name.
func of(s mesh.Section, err error) error {
	var n *noAnswer
	if errors.As(err, &n) && n.request == string(s) {
		return n.err
	}
	return err
}
