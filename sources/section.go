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

// section gives the section of a proxy: loaded when it is looked at, whole,
// unless some of its elements are asked for.
func (r *row) section(s mesh.Section) mesh.Lazy {
	load := func(ctx context.Context) (any, error) {
		if err := r.begin(ctx, s); err != nil {
			return nil, err
		}
		v, err := r.reading().section(context.WithValue(ctx, loadKey{}, true), s)
		return r.had(ctx, s, v, err)
	}
	if r.alive() && r.kind() != mesh.ZTunnel {
		return &section{Thunk: r.excerpt(s, load), row: r, name: s}
	}
	return r.group.Thunk(load)
}

// had takes note of a section's load, or of what kept it from being loaded.
func (r *row) had(ctx context.Context, s mesh.Section, v any, err error) (any, error) {
	if err != nil {
		return nil, r.m.fail(ctx, &mesh.Fault{Proxy: r.id, Section: string(s), Err: of(s, err)})
	}
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	r.m.loaded[Loaded{r.id, s}]++
	return v, nil
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
			doc, err := d.fetch(ctx, envoy.Request{What: ztunnel.Request})
			if err != nil {
				return nil, err
			}
			v, err := z.Section(ctx, s, doc)
			return v, doc.Named(err)
		}
	} else if r.lone() && r.places[0].realm.kind != transport.KindClusters {
		d.section = r.looked(envoy.NewDump(r.object, d.fetch, r.m.now))
	} else if r.alive() {
		d.section = r.looked(envoy.NewNarrow(r.object, d.fetch, r.m.now, mesh.Hint{}))
	} else {
		d.section = r.looked(envoy.NewProxy(r.object, d.fetch, r.m.now))
	}
	r.reader = d
	return d
}

// looked gives the reader's sections, read as the query looks at them.
func (r *row) looked(p *envoy.Proxy) func(context.Context, mesh.Section) (any, error) {
	p.Looks = r.m.options.Looks
	return p.Section
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
func (d *reader) fetch(ctx context.Context, request envoy.Request) (doc *decode.Document, err error) {
	r := d.row
	if r.alive() && r.kind() != mesh.ZTunnel {
		doc, err = d.live(ctx, request)
	} else {
		doc, err = d.recorded(ctx, request.What)
	}
	if err == nil {
		return doc, nil
	}
	if err != r.gone() { // else nothing was asked
		err = &noAnswer{request.What, err}
	}
	if ctx.Value(loadKey{}) == nil { // of endpoints' facts, which load on their own
		return nil, r.m.fail(ctx, &mesh.Fault{Proxy: r.id, Section: string(mesh.Endpoints), Err: err})
	}
	return nil, err
}

// recorded gives a whole answer, whatever it is for.
func (d *reader) recorded(ctx context.Context, what string) (*decode.Document, error) {
	d.mu.Lock()
	doc := d.documents[what]
	d.mu.Unlock()
	if doc != nil {
		return doc, nil
	}
	body, err := d.row.fetch(ctx, what)
	if err != nil {
		return nil, err
	}
	return d.document(what, body), nil
}

// document is the answer to a request as it is read: one for each.
func (d *reader) document(what string, body *transport.Body) *decode.Document {
	if body == nil {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	doc := d.documents[what]
	if doc == nil {
		doc = &decode.Document{Bytes: body, Name: body.Name, Proxy: d.row.id, Grew: d.row.group.Grew, Twins: d.row.twins(d.row.group)}
		d.documents[what] = doc
	}
	return doc
}

// fetch asks the proxy, wherever it can be asked. One that could not be
// reached is not asked again.
func (r *row) fetch(ctx context.Context, request string) (*transport.Body, error) {
	if err := r.gone(); err != nil {
		return nil, err
	}
	places := r.places
	if places == nil {
		places = []place{{r.home, r.id}}
	}
	var first error
	for _, at := range places {
		body, err := r.m.ask(ctx, question{at.realm, aProxy, at.name, request})
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return body, r.down(ctx, err)
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
