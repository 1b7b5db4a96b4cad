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

// A Fetch returns the answer to a request to one Envoy. The answer may contain
// more than was requested. Its format is JSON or, except for config dumps,
// Envoy's text format; the first byte distinguishes the two. Repeated requests
// return the same *Document, as long as that document is kept. If there is no
// answer, the error wraps fs.ErrNotExist.
type Fetch func(ctx context.Context, r Request) (*decode.Document, error)

// A Proxy reads the sections of one Envoy. It may be used by several goroutines
// at once.
type Proxy struct {
	owner *mesh.Object
	fetch Fetch
	now   time.Time

	dumpOnly bool
	cut      bool      // true if dumps contain only the requested parts
	wanted   mesh.Hint // selects the elements that are requested

	// Reads contains, for each section, the fields and elements that the query
	// is known to read. It determines which fields a pass decodes in addition to
	// the names.
	Reads map[mesh.Section]mesh.Hint

	mu   sync.Mutex
	dump *dump       // the config dump that was read last
	grew func(int64) // counts bytes against the documents' budget; nil if there is no budget

	hostsMu sync.Mutex // held while an answer to /clusters is parsed
	hosts   *hostTable // the last whole answer to /clusters, parsed
	some    *hostTable // the last answer that has only some clusters, parsed
}

// NewProxy returns a reader of an Envoy's answers. owner is the proxy's object,
// to which all objects of its sections belong. now is the time at which the
// validity of certificates is checked.
func NewProxy(owner *mesh.Object, fetch Fetch, now time.Time) *Proxy {
	return &Proxy{owner: owner, fetch: fetch, now: now}
}

// NewDump returns a reader of a config dump without other answers of the Envoy,
// such as a file, or the configuration that istiod would send. It calls fetch
// only for "config_dump". The endpoints have neither outlier nor stats.
func NewDump(owner *mesh.Object, fetch Fetch, now time.Time) *Proxy {
	return &Proxy{owner: owner, fetch: fetch, now: now, dumpOnly: true}
}

// NewNarrow returns a reader like NewProxy for a live Envoy whose config dumps
// contain only the requested elements, so that a missing element doesn't exist.
// wanted selects the requested elements, in sections whose key is wanted.By.
func NewNarrow(owner *mesh.Object, fetch Fetch, now time.Time, wanted mesh.Hint) *Proxy {
	return &Proxy{owner: owner, fetch: fetch, now: now, cut: true, wanted: wanted}
}

// Section reads a section. The result is a []any of *mesh.Object in the
// document's order if the section has elements, and an object otherwise. The
// error is that of fetch or of the decoder, with the name of the body. Reading a
// section that was cut from the config dump is an error.
func (p *Proxy) Section(ctx context.Context, s mesh.Section) (any, error) {
	read := sectionOf(s).read
	if read == nil {
		return nil, fmt.Errorf("%s: no section of an Envoy", s)
	}
	return read(p, ctx)
}

// ask fetches a body and passes it to use. If use returns an error, ask prefixes
// it with the name of the body.
func (p *Proxy) ask(ctx context.Context, r Request, use func(*decode.Document) error) error {
	doc, err := p.fetch(ctx, r)
	if err != nil {
		return err
	}
	return doc.Named(use(doc))
}

// current returns the config dump for a section. If Fetch returns another
// document than before, current drops everything that was read from the old
// one.
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

// fault adds the proxy and the section to the error of a lazy value that sends
// its own request.
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

// These constants are estimates of the memory, in bytes, that a section's
// objects take in addition to the decoded values. They are used for the memory
// budget.
const (
	costElement = 320 // the cost of an object whose fields are not created yet
	costFact    = 128 // the cost of a lazy field
)

// later returns an object whose fields are created when it is first read. They
// are copies of Envoy's fields and the derived fields. Their size is counted
// when they are created, because a query that reads every route creates many
// objects without reading their fields.
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
	cost := decode.ObjectCost(m.Len() + 1) // add 1 for the field "kind"
	for _, v := range m.All() {
		if l, ok := v.(mesh.Lazy); ok && !l.Pending() {
			if _, decoded := v.(*decode.Value); !decoded {
				cost += costFact
			}
		}
	}
	return cost
}

// grow adds a number of bytes to the memory counted for the proxy's documents.
func (p *Proxy) grow(bytes int64) {
	p.mu.Lock()
	grew := p.grew
	p.mu.Unlock()
	if grew != nil {
		grew(bytes)
	}
}

// setBudget makes grow count bytes for the given document.
func (p *Proxy) setBudget(doc *decode.Document) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if doc.Grew != nil {
		p.grew = doc.Grew
	}
}
