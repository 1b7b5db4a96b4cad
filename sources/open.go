// Package sources assembles the document: one object, the mesh, whose parts are
// fetched when they are read. It opens the sources, connects the packages below
// it, and represents their data as objects of the document:
//
//   - inventory: which istiods and proxies exist;
//   - section: the sections of proxies, and the configuration that istiod would
//     send to them;
//   - recording: snapshots;
//   - requests: the requests that were sent, with their responses and faults.
//
// It does not know where a response comes from (packages transport and live), how
// a response is parsed (packages envoy, istiod, kube and ztunnel), or what a query
// reads from the document.
//
// Start with open.go; document.go creates the fields of the objects.
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

// Options select the sources of the document, and how they are read.
type Options struct {
	// Sources has one source for each kubeconfig context. A context may also
	// have several sources, each of which contains a part of it. Mesh.Close
	// closes the sources. If Open returns an error, the caller has to close
	// them.
	Sources []transport.Source

	// Keep leaves the sources open: Mesh.Close doesn't close them, and another
	// mesh can be opened over them.
	Keep bool

	// Namespace, Selector and Proxies restrict the proxies of the mesh, and nothing
	// else. Proxies are names as mesh.Pick accepts them. An empty field restricts
	// nothing.
	Namespace string
	Selector  labels.Selector
	Proxies   []string

	// Revision is set if the sources list only the istiods of one revision. Proxies
	// that are neither connected to these istiods nor labeled with this revision are
	// left out.
	Revision string

	// Memory is the maximum size in bytes of the loaded sections; 0 means 1 GiB.
	Memory int64

	// Concurrency is the maximum number of concurrent requests, and of sections that
	// are loaded concurrently; 0 means 16.
	Concurrency int

	// MaxWhole is the maximum number of proxies of a live mesh that may be read with
	// all their sections; 0 means no limit. If a query reads more, TooMany is
	// called, possibly several times. TooMany must cancel the context that was
	// passed to Open.
	MaxWhole int
	TooMany  func(*section.TooManyError)

	// Reads lists the fields and elements of each section that the query will read.
	// Only these are requested from a live Envoy, if that is less work for the
	// Envoy. A section that isn't in Reads is requested completely. Reads doesn't
	// change the document: reading any other field or element sends another request.
	Reads map[mesh.Section]mesh.Hint

	// WholeDump requests the complete config dump of each live Envoy, once. It is
	// meant for queries that read most sections of every proxy.
	WholeDump bool

	// ReadsDesired is the same as Reads for the configuration that istiod would
	// send. Only these fields and elements are requested from a live istiod. A
	// section that isn't in ReadsDesired is requested completely.
	ReadsDesired map[mesh.Section]mesh.Hint

	// Now is the document's time if no snapshot contains a time.
	Now time.Time

	// Clock returns the current time, to measure how long requests take. If it is
	// nil, they aren't measured.
	Clock func() time.Time
}

const (
	defaultMemory      = 1 << 30
	defaultConcurrency = 16
)

// A Mesh is a document together with the sources of its parts. Its embedded client
// reports the faults, all requests that were sent, and the progress.
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

// Open returns a mesh whose document is read from the sources. It sends no requests
// unless Options.Proxies is set; then it returns an error if one of these proxies
// doesn't exist. When ctx ends, all requests for the document are canceled.
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

// takenAt returns the time at which the newest snapshot was taken, or the zero time
// if no source is a snapshot.
func (m *Mesh) takenAt() time.Time {
	var at time.Time
	for _, s := range m.options.Sources {
		if t := s.Manifest().TakenAt; t.After(at) {
			at = t
		}
	}
	return at.UTC().Truncate(time.Second)
}

// known returns the inventory. It returns an *inventory.UnknownProxyError if no
// proxy has one of the names in Options.Proxies.
func (m *Mesh) known(ctx context.Context) (*presented, error) {
	p, err := m.inventory.Get(ctx)
	if err == nil {
		err = p.Unknown
	}
	return p, err
}

// ProxiesRead returns the number of proxies in the document. It sends no request:
// ok is false if the proxies haven't been read.
func (m *Mesh) ProxiesRead() (n int, ok bool) {
	p, err, ok := m.inventory.Look()
	if !ok || err != nil {
		return 0, false
	}
	return len(p.proxies), true
}

// Document returns the root object of the document, the mesh.
func (m *Mesh) Document() *mesh.Object { return m.document }

// Now returns the document's time: the time at which the newest snapshot was taken,
// or Options.Now if there is none. A single config dump doesn't contain the time at
// which it was taken; its timestamps only show when something last changed.
func (m *Mesh) Now() time.Time { return m.now }

// Close cancels all loads and requests and closes the sources. If Options.Keep is
// set, it leaves the sources open and makes them drop their cached responses
// instead.
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

// Names returns the sorted ids of the proxies that the options select, without
// sending a request to a proxy. If ctx ends early, it returns the names that are
// known by then. It leaves out proxies whose names could not be read.
func (m *Mesh) Names(ctx context.Context) []string { return m.reader.Names(ctx) }

// Fingerprint returns a short string that changes if the state of a connection changes
// or, if pods is set, if a pod changes. See [inventory.Reader.Fingerprint].
func (m *Mesh) Fingerprint(ctx context.Context, pods bool) (string, error) {
	return m.reader.Fingerprint(ctx, pods)
}

// Sections returns the sections that have been loaded so far, sorted by proxy and
// section, without duplicates.
func (m *Mesh) Sections() []section.Loaded { return m.loader.Loaded() }

// Memory returns how many bytes the loaded sections use, with the other
// counters of the section store.
func (m *Mesh) Memory() store.Counters { return m.store.Counters() }

// Desired returns the configuration that istiod would send to a proxy of the mesh. See
// [section.Proxy.Desired].
func (m *Mesh) Desired(ctx context.Context, proxy *mesh.Object) (*mesh.Object, error) {
	p, err := m.proxyOf(ctx, proxy, "desired: not a proxy of this mesh")
	if err != nil {
		return nil, err
	}
	return p.Desired(ctx)
}

// SetLevel sets the log level of a logger of a live proxy. See
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

// Record writes the mesh to an archive as a snapshot. See [recording.Record].
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
