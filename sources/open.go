// Package sources assembles the document: one object, the mesh, whose parts are
// fetched when they are read. It opens the sources, wires the packages below it
// together, and presents what they know as objects of the document:
//
//   - inventory: which istiods and proxies there are;
//   - section: the sections of proxies, and what istiod would send to them;
//   - recording: snapshots;
//   - requests: what was asked, with its answers and faults.
//
// It does not know where an answer comes from (package transport, live), how one
// is parsed (envoy, istiod, kube, ztunnel), nor what is asked of the document.
//
// Start with open.go; document.go has the fields of the objects.
package sources

import (
	"context"
	"errors"
	"time"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/meshq/kubectl-meshq/sources/inventory"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/recording"
	"github.com/meshq/kubectl-meshq/sources/requests"
	"github.com/meshq/kubectl-meshq/sources/section"
	"github.com/meshq/kubectl-meshq/sources/store"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// Options say what the document is made of.
type Options struct {
	// Sources are one for each context, or several of one context that hold a
	// part each. A mesh that Open returned closes them; until then they are the
	// caller's.
	Sources []transport.Source

	// Keep leaves the sources open: Mesh.Close doesn't close them, and another
	// mesh can be opened over them.
	Keep bool

	// Namespace, Selector and Proxies (words, as mesh.Pick takes them)
	// restrict the mesh's proxies, and nothing else. Empty: all.
	Namespace string
	Selector  labels.Selector
	Proxies   []string

	// Revision, where the sources know only the istiods of one revision, leaves
	// out the proxies that are neither connected to these nor of it.
	Revision string

	// Memory is how many bytes loaded sections may take; 0: 1 GiB.
	Memory int64

	// Concurrency is how many requests and sections are under way at once; 0: 16.
	Concurrency int

	// MaxWhole is how many proxies of a live mesh may be read with all their
	// sections; 0: any number. One more calls TooMany, once or more often, which
	// must end the context that Open was given.
	MaxWhole int
	TooMany  func(*section.TooManyError)

	// Reads says which fields and elements of a section the query will read: a
	// live Envoy is asked for these, where that costs it less. A section that is
	// not in it is read whole. The document is the same whatever Reads says;
	// reading anything else costs another request.
	Reads map[mesh.Section]mesh.Hint

	// WholeDump asks each live Envoy for its whole config dump, once: for queries
	// that read most sections of every proxy.
	WholeDump bool

	// ReadsDesired says the same of what istiod would send: a live one is asked for
	// nothing else. A section that is not in it is requested whole.
	ReadsDesired map[mesh.Section]mesh.Hint

	// Now is the document's time if no snapshot has one.
	Now time.Time

	// Clock measures how long requests take; nil: they are not measured.
	Clock func() time.Time
}

const (
	defaultMemory      = 1 << 30
	defaultConcurrency = 16
)

// A Mesh is a document and the sources behind it. Its client reports the faults,
// the ledger of requests, and the progress.
type Mesh struct {
	*requests.Client
	options   Options
	now       time.Time
	clusters  []*requests.Cluster
	store     *store.Store
	reader    *inventory.Reader
	loader    *section.Loader
	inventory *store.Shared[*presented]
	document  *mesh.Object
}

// Open makes the document over the sources. It sends no request, unless proxies
// are named: then it makes sure that they exist. The work done for the document
// ends with ctx.
func Open(ctx context.Context, o Options) (*Mesh, error) {
	if o.Memory == 0 {
		o.Memory = defaultMemory
	}
	if o.Concurrency == 0 {
		o.Concurrency = defaultConcurrency
	}
	m := &Mesh{options: o, clusters: requests.Clusters(o.Sources)}
	m.store = store.New(ctx, store.Options{Memory: o.Memory, Many: 2 * o.Concurrency, Slots: o.Concurrency})
	m.Client = requests.NewClient(m.store, o.Clock)
	taken := m.takenAt()
	if m.now = taken; taken.IsZero() {
		m.now = o.Now
	}
	m.reader = &inventory.Reader{
		Client: m.Client, Clusters: m.clusters, Store: m.store,
		Scope: inventory.Scope{Namespace: o.Namespace, Selector: o.Selector, Proxies: o.Proxies, Revision: o.Revision},
	}
	m.loader = section.NewLoader(m.Client, m.store, section.Options{
		Now: m.now, Memory: o.Memory, Reads: o.Reads, ReadsDesired: o.ReadsDesired, MaxWhole: o.MaxWhole, TooMany: o.TooMany, WholeDump: o.WholeDump,
	})
	m.inventory = store.NewShared(m.store, m.readInventory)
	m.document = mesh.NewObject("Mesh", nil, m.fields(mesh.TimeOrNull(taken)))
	for _, s := range o.Sources {
		for _, f := range s.Faults() {
			if requests.LosesData(f) {
				m.RecordLeftOut(f)
			}
		}
	}
	if len(o.Proxies) > 0 {
		if _, err := m.known(ctx); err != nil {
			m.store.Close()
			return nil, err
		}
	}
	return m, nil
}

// takenAt returns when the newest of the snapshots was taken; zero for a mesh
// without any.
func (m *Mesh) takenAt() time.Time {
	var at time.Time
	for _, s := range m.options.Sources {
		if t := s.Manifest().TakenAt; t.After(at) {
			at = t
		}
	}
	return at.UTC().Truncate(time.Second)
}

// known returns the inventory, or an *inventory.UnknownProxyError if a word of
// Options.Proxies names no proxy.
func (m *Mesh) known(ctx context.Context) (*presented, error) {
	p, err := m.inventory.Get(ctx)
	if err == nil {
		err = p.Unknown
	}
	return p, err
}

// Document returns the mesh.
func (m *Mesh) Document() *mesh.Object { return m.document }

// Now returns the document's time: when the newest snapshot was taken, else
// Options.Now. A config dump alone has no time of its own: the times in it only
// say when something last changed.
func (m *Mesh) Now() time.Time { return m.now }

// Close ends what is under way and closes the sources, unless Options.Keep is
// set: then a source that can forget its answers does so.
func (m *Mesh) Close() error {
	m.store.Close()
	if m.options.Keep {
		m.store.Settle()
	}
	var errs []error
	for _, s := range m.options.Sources {
		if !m.options.Keep {
			errs = append(errs, s.Close())
		} else if f, ok := s.(interface{ Forget() }); ok {
			f.Forget()
		}
	}
	return errors.Join(errs...)
}

// Names returns the ids of the proxies that the options select, sorted. No proxy
// is asked. When ctx ends it returns what was read by then; what can't be read
// is left out.
func (m *Mesh) Names(ctx context.Context) []string { return m.reader.Names(ctx) }

// Fingerprint returns a short text that changes when the state of a connection
// or, if pods is set, a pod does. See [inventory.Reader.Fingerprint].
func (m *Mesh) Fingerprint(ctx context.Context, pods bool) (string, error) {
	return m.reader.Fingerprint(ctx, pods)
}

// Sections returns the proxies' sections that were loaded so far, each once, by
// proxy and section.
func (m *Mesh) Sections() []section.Loaded { return m.loader.Loaded() }

// Memory returns what loading did to memory so far.
func (m *Mesh) Memory() store.Counters { return m.store.Counters() }

// Desired returns what istiod would send to a proxy of the mesh, see
// [section.Proxy.Desired].
func (m *Mesh) Desired(ctx context.Context, proxy *mesh.Object) (*mesh.Object, error) {
	p, err := m.proxyOf(ctx, proxy, "desired: not a proxy of this mesh")
	if err != nil {
		return nil, err
	}
	return p.Desired(ctx)
}

// SetLevel sets the log level of a logger of a live proxy, see
// [section.Proxy.SetLevel].
func (m *Mesh) SetLevel(ctx context.Context, proxy *mesh.Object, logger, level string) error {
	p, err := m.proxyOf(ctx, proxy, "not a proxy of this mesh")
	if err != nil {
		return err
	}
	return p.SetLevel(ctx, logger, level)
}

func (m *Mesh) proxyOf(ctx context.Context, object *mesh.Object, otherwise string) (*section.Proxy, error) {
	p, err := m.inventory.Get(ctx)
	if err != nil {
		return nil, err
	}
	if p.byObject[object] == nil {
		return nil, errors.New(otherwise)
	}
	return p.byObject[object], nil
}

// Record writes the mesh to an archive, as a snapshot. See [recording.Record].
func (m *Mesh) Record(ctx context.Context, a recording.Archive, o recording.Options) (recording.Result, error) {
	if err := recording.Check(m.clusters); err != nil {
		return recording.Result{}, err
	}
	p, err := m.known(ctx)
	if err != nil {
		return recording.Result{}, err
	}
	return recording.Record(ctx, a, recording.Mesh{
		Client: m.Client, Clusters: m.clusters, Inventory: p.Inventory, Now: m.now, Workers: m.options.Concurrency,
	}, o)
}
