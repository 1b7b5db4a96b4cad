package envoy

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// Fetch returns the answer to a request to one Envoy, which may have more than
// was requested. It may be JSON or, except for config dumps, Envoy's text: the
// first byte shows which. A repeated request gets the same *Document, as long
// as that is kept. If there is no answer, the error wraps fs.ErrNotExist.
type Fetch func(ctx context.Context, r Request) (*decode.Document, error)

// A Proxy reads the sections of one Envoy. It may be used by several goroutines
// at once.
type Proxy struct {
	owner *mesh.Object
	fetch Fetch
	now   time.Time

	dumpOnly bool
	cut      bool      // dumps have only what was requested
	wanted   mesh.Hint // the elements wanted

	// Reads says what is going to be looked at of the sections' elements, as far
	// as that is known: what a pass notes beside the names depends on it.
	Reads map[mesh.Section]mesh.Hint

	mu   sync.Mutex
	dump *dump       // the last config dump
	grew func(int64) // counts bytes against the documents' budget; nil: there is none

	hostsMu sync.Mutex // held while an answer to /clusters is parsed
	hosts   *hostTable // the last answer to /clusters
}

// NewProxy returns the reader of an Envoy's answers. owner is the proxy's
// object, which all objects of its sections belong to; now decides which
// certificates are valid.
func NewProxy(owner *mesh.Object, fetch Fetch, now time.Time) *Proxy {
	return &Proxy{owner: owner, fetch: fetch, now: now}
}

// NewDump returns the reader of a config dump that comes alone: what istiod
// would send, or a file. fetch is asked for "config_dump" only, and endpoints
// have neither outlier nor stats.
func NewDump(owner *mesh.Object, fetch Fetch, now time.Time) *Proxy {
	return &Proxy{owner: owner, fetch: fetch, now: now, dumpOnly: true}
}

// NewNarrow is NewProxy for a live Envoy, whose config dumps have only what was
// requested: what they lack doesn't exist. wanted says which elements are
// requested of the sections that have its key.
func NewNarrow(owner *mesh.Object, fetch Fetch, now time.Time, wanted mesh.Hint) *Proxy {
	return &Proxy{owner: owner, fetch: fetch, now: now, cut: true, wanted: wanted}
}

// Section reads a section: a []any of *mesh.Object, in the document's order,
// for those with a kind, an object for the others. Errors are those of fetch
// and of the decoder, with the body's name. If a config dump was cut down to
// other sections, reading this one is an error.
func (p *Proxy) Section(ctx context.Context, s mesh.Section) (any, error) {
	read := sectionOf(s).read
	if read == nil {
		return nil, fmt.Errorf("%s: no section of an Envoy", s)
	}
	return read(p, ctx)
}

// ask fetches a body and prefixes the errors of use with its name.
func (p *Proxy) ask(ctx context.Context, r Request, use func(*decode.Document) error) error {
	doc, err := p.fetch(ctx, r)
	if err != nil {
		return err
	}
	return doc.Named(use(doc))
}

// current returns the config dump for a section. If the answer is another
// document than before, what was known of the old one is dropped.
func (p *Proxy) current(ctx context.Context, s mesh.Section) (*dump, error) {
	r := Request{What: configDump, Section: s}
	if p.wanted.By == Key(s) {
		r.Wanted = p.wanted
	}
	doc, err := p.fetch(ctx, r)
	if err != nil {
		return nil, err
	}
	p.setBudget(doc)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dump == nil || p.dump.doc != doc {
		p.dump = &dump{doc: doc, cut: p.cut}
	}
	return p.dump, nil
}

// fault adds the proxy and the section to the error of a value that is loaded
// on its own.
func (p *Proxy) fault(ctx context.Context, s mesh.Section, err error) error {
	var already *mesh.Fault
	if errors.As(err, &already) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	f := &mesh.Fault{Section: string(s), Err: err}
	if proxy := p.owner.Proxy(); proxy != nil {
		if id, e := mesh.Get(ctx, proxy, "id"); e == nil {
			f.Proxy, _ = id.(string)
		}
	}
	return f
}

func missing(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// The memory that a section's objects take beside decoded values: estimates in
// bytes, for the budget.
const (
	costElement = 320 // an object whose fields are not made yet
	costFact    = 128 // a lazy field
)

// later returns an object whose fields are made when it is first read. They are
// copies of Envoy's fields and ours, whose size counts only then: a query that
// reads every route makes many.
func (p *Proxy) later(kind string, make func(context.Context) (*object.Object, error)) *mesh.Object {
	return mesh.LaterObject(kind, p.owner, func(ctx context.Context) (*object.Object, error) {
		m, err := make(ctx)
		if err == nil {
			p.grow(fieldsCost(m))
		}
		return m, err
	})
}

func fieldsCost(m *object.Object) int64 {
	cost := decode.ObjectCost(m.Len() + 1) // and its kind
	for _, v := range m.All() {
		if l, ok := v.(mesh.Lazy); ok && !l.Pending() {
			if _, decoded := v.(*decode.Value); !decoded {
				cost += costFact
			}
		}
	}
	return cost
}

// grow counts bytes against the memory budget of the proxy's documents.
func (p *Proxy) grow(bytes int64) {
	p.mu.Lock()
	grew := p.grew
	p.mu.Unlock()
	if grew != nil {
		grew(bytes)
	}
}

// setBudget makes a document's budget the one that grow counts against.
func (p *Proxy) setBudget(doc *decode.Document) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if doc.Grew != nil {
		p.grew = doc.Grew
	}
}
