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

// Fetch gives the body of a request to one Envoy. It may hold more than was
// wanted. Bodies may be JSON or, for others than config dumps, Envoy's text:
// the first byte tells. An answer that was given before is the same *Document,
// for as long as it is kept. A body that isn't there is an error that wraps
// fs.ErrNotExist.
type Fetch func(ctx context.Context, r Request) (*decode.Document, error)

// A Proxy reads the sections of one Envoy. It may be used by several
// goroutines at once.
type Proxy struct {
	owner *mesh.Object
	fetch Fetch
	now   time.Time

	dumpOnly bool
	cut      bool      // dumps hold what they were asked for
	wanted   mesh.Hint // the elements wanted

	// Reads says what is going to be looked at of the sections' elements, as far
	// as that is known: what a pass notes beside the names depends on it.
	Reads map[mesh.Section]mesh.Hint

	mu   sync.Mutex
	dump *dump       // of the last config dump seen
	grew func(int64) // of the documents; nil: nobody counts

	reading sync.Mutex // held while an answer to /clusters is read
	hosts   *hostTable // of the last one seen
}

// NewProxy gives the reader of an Envoy's answers. owner is the proxy's object,
// to which all objects of its sections belong; now is the time against which
// certificates are valid.
func NewProxy(owner *mesh.Object, fetch Fetch, now time.Time) *Proxy {
	return &Proxy{owner: owner, fetch: fetch, now: now}
}

// NewDump gives the reader of a config dump that nothing else is said beside:
// what Pilot would send, or a file of its own. fetch is asked for "config_dump"
// only, and endpoints have neither outlier nor stats.
func NewDump(owner *mesh.Object, fetch Fetch, now time.Time) *Proxy {
	return &Proxy{owner: owner, fetch: fetch, now: now, dumpOnly: true}
}

// NewNarrow is NewProxy for a live Envoy, whose config dumps hold what was asked
// for: what they lack isn't there. wanted says which elements are wanted of the
// sections that have its key.
func NewNarrow(owner *mesh.Object, fetch Fetch, now time.Time, wanted mesh.Hint) *Proxy {
	return &Proxy{owner: owner, fetch: fetch, now: now, cut: true, wanted: wanted}
}

// Section reads a section: a []any of *mesh.Object, in the document's order,
// for those with a kind, an object for the others. Errors are those of fetch
// and of the decoder, with the body's name; a config dump that was cut down to
// other sections has an error for those that it lacks.
func (p *Proxy) Section(ctx context.Context, s mesh.Section) (any, error) {
	read := sectionOf(s).read
	if read == nil {
		return nil, fmt.Errorf("%s: no section of an Envoy", s)
	}
	return read(p, ctx)
}

// ask fetches a body and puts its name in front of what use says of it.
func (p *Proxy) ask(ctx context.Context, r Request, use func(*decode.Document) error) error {
	doc, err := p.fetch(ctx, r)
	if err != nil {
		return err
	}
	return doc.Named(use(doc))
}

// current gives what is known of the config dump for a section. What was learned of an
// earlier answer is of no use for a new one.
func (p *Proxy) current(ctx context.Context, s mesh.Section) (*dump, error) {
	r := Request{What: configDump, Section: s}
	if p.wanted.By == Key(s) {
		r.Wanted = p.wanted
	}
	doc, err := p.fetch(ctx, r)
	if err != nil {
		return nil, err
	}
	p.bears(doc)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dump == nil || p.dump.doc != doc {
		p.dump = &dump{doc: doc, cut: p.cut}
	}
	return p.dump, nil
}

// fault says which proxy and section an error is about, for values that are
// loaded on their own.
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

// What a section's objects take in memory beside what was decoded, in bytes,
// near enough for a budget.
const (
	costElement = 320 // an object that wasn't looked into, with what it will be made of
	costFact    = 128 // a field that is made when it is looked at
)

// later makes an object of the section, whose fields are made when it is first
// looked into. They are a copy with facts beside them: much, where every route
// is looked into, and told then.
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

// grow tells those who bear the cost of the proxy's documents.
func (p *Proxy) grow(bytes int64) {
	p.mu.Lock()
	grew := p.grew
	p.mu.Unlock()
	if grew != nil {
		grew(bytes)
	}
}

// bears takes note of who bears the cost of a document.
func (p *Proxy) bears(doc *decode.Document) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if doc.Grew != nil {
		p.grew = doc.Grew
	}
}
