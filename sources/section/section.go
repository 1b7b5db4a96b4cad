package section

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"time"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/envoy"
	"github.com/meshq/kubectl-meshq/sources/inventory"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/requests"
	"github.com/meshq/kubectl-meshq/sources/store"
	"github.com/meshq/kubectl-meshq/sources/transport"
	"github.com/meshq/kubectl-meshq/sources/ztunnel"
)

// Options configure how the sections of a mesh are loaded.
type Options struct {
	Now    time.Time // the time at which the validity of certificates is checked
	Memory int64     // the memory budget for loaded sections, in bytes

	// Reads lists, for each section, the fields and elements that the query will
	// read. A section that isn't in the map is read completely.
	Reads map[mesh.Section]mesh.Hint

	// WholeDump makes the loader request the whole config dump from each live
	// Envoy, once. It is set for queries that read most sections of every
	// proxy, because one request in one session then serves all of them.
	WholeDump bool

	// ReadsDesired is the same as Reads, for the configuration that istiod
	// would send.
	ReadsDesired map[mesh.Section]mesh.Hint

	// MaxWhole is the largest number of proxies of a live mesh whose sections
	// may all be read; 0 means no limit. If a query reads more, TooMany is
	// called, possibly several times. It must cancel the context of the loads.
	MaxWhole int
	TooMany  func(*TooManyError)
}

// A Loader loads the sections of a mesh's proxies.
type Loader struct {
	Options
	client *requests.Client
	store  *store.Store
	shared sharedTables

	mu     sync.Mutex
	loaded map[Loaded]bool
	whole  int // the number of proxies from which every section was requested
}

// NewLoader returns a loader that sends its requests through client and keeps
// the loaded sections in s.
func NewLoader(client *requests.Client, s *store.Store, o Options) *Loader {
	return &Loader{Options: o, client: client, store: s, loaded: map[Loaded]bool{}}
}

// Loaded identifies a section that was loaded.
type Loaded struct {
	Proxy   string // the proxy's id
	Section mesh.Section
}

// Loaded returns the sections that were loaded so far, each once, sorted by proxy
// and section.
func (l *Loader) Loaded() []Loaded {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []Loaded
	for s := range l.loaded {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b Loaded) int {
		return cmp.Or(cmp.Compare(a.Proxy, b.Proxy), cmp.Compare(a.Section, b.Section))
	})
	return all
}

// A Proxy loads the sections of one proxy.
type Proxy struct {
	*inventory.Proxy
	loader *Loader
	object *mesh.Object // the owner of the elements in the sections
	group  *store.Group // the sections of the proxy, which are evicted together

	mu          sync.Mutex
	reader      *reader // the current reader; nil if no section was read since the last eviction
	desired     *mesh.Object
	unreachable error // the reason why a live proxy could not be reached

	asked map[mesh.Section]bool // the sections that were requested whole; guarded by the loader's mu
}

// NewProxy returns a proxy. object is the owner of the elements of its
// sections.
func (l *Loader) NewProxy(p *inventory.Proxy, object *mesh.Object) *Proxy {
	out := &Proxy{Proxy: p, loader: l, object: object}
	out.group = l.store.Group(out.forgetReader)
	return out
}

// A reader reads the sections of one proxy. It keeps the data that several
// sections need, and is dropped when the sections are evicted.
type reader struct {
	proxy   *Proxy
	section func(context.Context, mesh.Section) (any, error)

	mu        sync.Mutex
	documents map[string]*decode.Document // the documents of the answers, by request
}

// Section returns a section, which is loaded when it is first read. For a live
// Envoy, only some of its elements may be requested: see mesh.Narrower. Each call
// returns another value, which loads the section again.
func (p *Proxy) Section(s mesh.Section) mesh.Lazy {
	if p.IsLive() && p.Type() != mesh.ZTunnel && p.Type() != mesh.AgentGateway {
		return &liveSection{section: section{proxy: p, name: s}}
	}
	return &section{proxy: p, name: s}
}

// A section is the lazy value of one section of one proxy. Its thunk is created
// when the section is first read, because most queries read few of a proxy's
// sections.
type section struct {
	proxy *Proxy
	name  mesh.Section
	thunk *store.Thunk // loads the section with the fields and elements that the query reads; guarded by the proxy's mu
}

// loader returns the thunk that loads the section. It creates the thunk if
// there is none.
func (s *section) loader() *store.Thunk {
	p := s.proxy
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.thunk == nil {
		s.thunk = p.excerpt(s.name, func(ctx context.Context) (any, error) {
			if err := p.countWhole(ctx, s.name); err != nil {
				return nil, err
			}
			v, err := p.currentReader().section(inLoad(ctx), s.name)
			return p.noteLoad(ctx, s.name, v, err)
		})
	}
	return s.thunk
}

// existing returns the thunk of the section, or nil if the section has never been
// read.
func (s *section) existing() *store.Thunk {
	s.proxy.mu.Lock()
	defer s.proxy.mu.Unlock()
	return s.thunk
}

// Force implements [mesh.Lazy].
func (s *section) Force(ctx context.Context) (any, error) { return s.loader().Force(ctx) }

// Forced implements [mesh.Lazy].
func (s *section) Forced() (any, bool) {
	if t := s.existing(); t != nil {
		return t.Forced()
	}
	return nil, false
}

// Pending implements [mesh.Lazy].
func (s *section) Pending() bool {
	t := s.existing()
	return t == nil || t.Pending()
}

// Sectional marks the value as a section.
func (*section) Sectional() {}

// NodeID returns the node id that the proxy sends to its control plane: a
// string, or null if it isn't known. The value is lazy if only the bootstrap
// contains it. Two proxies may have the same node id.
func (p *Proxy) NodeID() any {
	if p.Identity != nil {
		return mesh.OrNull(p.Identity.NodeID)
	}
	return p.group.Thunk(func(ctx context.Context) (any, error) {
		v, err := p.currentReader().section(inLoad(ctx), mesh.Bootstrap)
		if v, err = p.noteLoad(ctx, mesh.Bootstrap, v, err); err != nil {
			return nil, err
		}
		node, err := mesh.Get(ctx, v, "node")
		if err != nil {
			return nil, err
		}
		return mesh.Get(ctx, node, "id")
	})
}

// noteLoad records that a section was loaded, or the reason why it could not be
// loaded.
func (p *Proxy) noteLoad(ctx context.Context, s mesh.Section, v any, err error) (any, error) {
	if err != nil {
		var no *requests.NoAnswerError
		if errors.As(err, &no) && no.Request == string(s) { // the fault already names the section
			err = no.Err
		}
		return nil, p.loader.client.Fail(ctx, &mesh.Fault{Proxy: p.ID, Section: string(s), Err: err})
	}
	p.loader.mu.Lock()
	defer p.loader.mu.Unlock()
	p.loader.loaded[Loaded{p.ID, s}] = true
	return v, nil
}

// loadKey marks a context in which a section is loaded. Errors under such a
// context become faults when the load ends.
type loadKey struct{}

func inLoad(ctx context.Context) context.Context { return context.WithValue(ctx, loadKey{}, true) }

func (p *Proxy) newReader() *reader {
	return &reader{proxy: p, documents: map[string]*decode.Document{}}
}

// currentReader returns the proxy's reader. It creates one if there is none: at
// first use, and after an eviction.
func (p *Proxy) currentReader() *reader {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reader != nil {
		return p.reader
	}
	r := p.newReader()
	now := p.loader.Now
	if p.Type() == mesh.AgentGateway {
		r.section = func(context.Context, mesh.Section) (any, error) { return nil, errAgentGateway }
	} else if p.Type() == mesh.ZTunnel {
		z := ztunnel.Proxy{Owner: p.object, Now: now}
		r.section = func(ctx context.Context, s mesh.Section) (any, error) {
			doc, err := r.fetch(ctx, envoy.Request{What: ztunnel.RequestFor(s)})
			if err != nil {
				return nil, err
			}
			v, err := z.Section(ctx, s, doc)
			return v, doc.Named(err)
		}
	} else {
		var e *envoy.Proxy
		switch {
		case p.IsDump() && p.Places[0].Cluster.Kind != transport.KindClusters:
			e = envoy.NewDump(p.object, r.fetch, now)
		case p.IsLive():
			e = envoy.NewNarrow(p.object, r.fetch, now, mesh.Hint{})
		default:
			e = envoy.NewProxy(p.object, r.fetch, now)
		}
		e.Reads = p.loader.Reads
		r.section = e.Section
	}
	p.reader = r
	return r
}

var errAgentGateway = errors.New("an agentgateway has no admin port of Envoy: only its state at istiod can be read")

func (p *Proxy) forgetReader() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reader = nil
}

// fetch returns the answer to a request as a document. For the same request it
// always returns the same document.
func (r *reader) fetch(ctx context.Context, request envoy.Request) (doc *decode.Document, err error) {
	p := r.proxy
	if p.IsLive() && p.Type() != mesh.ZTunnel {
		doc, err = r.live(ctx, request)
	} else {
		doc, err = r.recorded(ctx, request.What)
	}
	if err == nil {
		return doc, nil
	}
	if err != p.whyUnreachable() { // an error of an earlier request already contains that request's name
		err = &requests.NoAnswerError{Request: request.What, Err: err}
	}
	if ctx.Value(loadKey{}) == nil { // the caller is a lazy field of an endpoint, not a load of a section
		return nil, p.loader.client.Fail(ctx, &mesh.Fault{Proxy: p.ID, Section: string(mesh.Endpoints), Err: err})
	}
	return nil, err
}

// recorded returns a recorded answer completely, even if only a part of it was
// requested.
func (r *reader) recorded(ctx context.Context, what string) (*decode.Document, error) {
	r.mu.Lock()
	doc := r.documents[what]
	r.mu.Unlock()
	if doc != nil {
		return doc, nil
	}
	body, err := r.proxy.ask(ctx, what)
	if err != nil {
		return nil, err
	}
	return r.document(what, body), nil
}

// document returns the document of an answer. Several calls for the same
// request return the same document.
func (r *reader) document(what string, body *transport.Body) *decode.Document {
	if body == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	doc := r.documents[what]
	if doc == nil {
		p := r.proxy
		doc = &decode.Document{Bytes: body, Name: body.Name, Proxy: p.ID, Grew: p.group.Grew, Twins: p.twins(p.group)}
		r.documents[what] = doc
	}
	return doc
}

// ask sends a request to the proxy. It tries the clusters through which the
// proxy can be reached until one has an answer. A proxy that could not be
// reached gets no further requests.
func (p *Proxy) ask(ctx context.Context, what string) (*transport.Body, error) {
	if err := p.whyUnreachable(); err != nil {
		return nil, err
	}
	return p.firstAnswer(func(at inventory.Place) (*transport.Body, error) {
		body, err := p.loader.client.Ask(ctx, at.Request(what))
		return body, p.noteUnreachable(ctx, err)
	})
}

// firstAnswer calls ask for each place through which the proxy can be reached,
// until one has an answer. If none has, it returns the error for the first
// place.
func (p *Proxy) firstAnswer(ask func(inventory.Place) (*transport.Body, error)) (*transport.Body, error) {
	var first error
	for _, at := range p.AllPlaces() {
		body, err := ask(at)
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return body, err
		}
		first = cmp.Or(first, err)
	}
	return nil, first
}

// A TooManyError ends a run that would read all sections of more live proxies
// than MaxWhole.
type TooManyError struct{ Most int }

func (e *TooManyError) Error() string {
	return fmt.Sprintf("more than %d whole proxies would be read from live Envoys: ask for the sections by name (.clusters, .routes, …), "+
		"print less (| outline), or raise --max-fetch", e.Most)
}

// countWhole records that a whole section of a live proxy is about to be
// requested. If all sections of a proxy are requested, the query probably
// prints or searches whole proxies. Too many such proxies end the run; see
// Options.TooMany.
func (p *Proxy) countWhole(ctx context.Context, s mesh.Section) error {
	l := p.loader
	if l.MaxWhole == 0 || !p.IsLive() {
		return nil
	}
	l.mu.Lock()
	if p.asked == nil {
		p.asked = map[mesh.Section]bool{}
	}
	if !p.asked[s] {
		p.asked[s] = true
		if len(p.asked) == len(mesh.SectionsOf(p.Type())) {
			l.whole++
		}
	}
	over := l.whole > l.MaxWhole
	l.mu.Unlock()
	if !over {
		return nil
	}
	l.TooMany(&TooManyError{l.MaxWhole})
	<-ctx.Done()
	return ctx.Err()
}
