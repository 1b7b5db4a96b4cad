// Package sources puts the document together: what istiod, the Envoys and
// ztunnels and the API server say, each read by a room of its own, become one
// object, the mesh, whose parts are asked for when they are looked at.
//
// It knows who is who: which connection, pod and folder of a snapshot are one
// proxy, which snapshots are shards of one cluster and which are contexts
// beside one another, and what a part that can't be had does to the rest. It
// does not know where an answer comes from (transport), how one is read (the
// speakers' rooms), nor what is asked of the document.
package sources

import (
	"context"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
	"github.com/meshq/kubectl-meshq/sources/store"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// Options say what the document is made of.
type Options struct {
	// Sources are what is asked: one for each context, or several of one
	// context that hold a part each. They stay the caller's until Open has
	// given a mesh, which then closes them.
	Sources []transport.Source

	// Keep leaves the sources the caller's for good: Mesh.Close doesn't close
	// them, and another mesh can be opened over them.
	Keep bool

	// Namespace, Selector and Proxies (words, as mesh.Pick takes them)
	// restrict the mesh's proxies, and nothing else. Empty: all.
	Namespace string
	Selector  labels.Selector
	Proxies   []string

	// Revision, where the sources know only the Pilots of one revision, leaves
	// out the proxies that are neither connected to these nor of it.
	Revision string

	// Memory is how many bytes loaded sections may take; 0: 1 GiB.
	Memory int64

	// Concurrency is how many requests and sections are under way at once; 0: 16.
	Concurrency int

	// MaxWhole is how many proxies of a live mesh may be read whole, with all
	// their sections; 0: any number. One more calls TooMany, once or more, which
	// must end the context that Open was given.
	MaxWhole int
	TooMany  func(*TooManyError)

	// Looks says what is going to be looked at of each element of a section, by
	// the section: a live Envoy is asked for that, where it costs it less. A
	// section that isn't here is looked at as a whole. Whatever it says, the
	// document is the same; what is looked at beside it costs another request.
	Looks map[mesh.Section]mesh.Hint

	// Desires says the same of what Pilot would send: a live one is asked for
	// nothing else. One of which nothing is said is asked for all.
	Desires map[mesh.Section]mesh.Hint

	// Changed, if not nil, is called when a section has changed between these
	// two: what was given of it before is of another moment.
	Changed func()

	// Now is the document's time where no snapshot gives one.
	Now time.Time

	// Clock measures what requests take, for the ledger; nil: they aren't
	// measured.
	Clock func() time.Time
}

const (
	defaultMemory      = 1 << 30
	defaultConcurrency = 16
)

// A Mesh is a document and the sources behind it.
type Mesh struct {
	options  Options
	now      time.Time
	realms   []*realm
	store    *store.Store
	outline  *store.Shared[*outline]
	document *mesh.Object
	pool     pool

	mu      sync.Mutex
	answers map[question]*answer
	loaded  map[Loaded]int
	whole   int              // proxies of which all sections were asked for
	faults  map[string]noted // by what they say
}

// Open makes the document over the sources. It asks nothing yet, unless
// proxies are named: then it makes sure that there are such. The work done for
// the document ends with ctx.
func Open(ctx context.Context, o Options) (*Mesh, error) {
	if o.Memory == 0 {
		o.Memory = defaultMemory
	}
	if o.Concurrency == 0 {
		o.Concurrency = defaultConcurrency
	}
	m := &Mesh{
		options: o, realms: realms(o.Sources), store: store.New(ctx, store.Options{Memory: o.Memory, Many: 2 * o.Concurrency, Slots: o.Concurrency}),
		answers: map[question]*answer{}, loaded: map[Loaded]int{}, faults: map[string]noted{},
	}
	taken := m.takenAt()
	if m.now = taken; taken.IsZero() {
		m.now = o.Now
	}
	m.outline = store.NewShared(m.store, m.readOutline)
	m.document = mesh.NewObject("Mesh", nil, m.fields(taken))
	for _, s := range o.Sources {
		for _, f := range s.Faults() {
			if lost(f) {
				m.record(noted{f, true})
			}
		}
	}
	if len(o.Proxies) == 0 {
		return m, nil
	}
	out, err := m.outline.Get(ctx)
	if err == nil {
		err = out.unknown
	}
	if err != nil {
		m.store.Close()
		return nil, err
	}
	return m, nil
}

// takenAt is when the newest of the snapshots was taken; zero for a mesh
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

// fields are those of the mesh. Looking at their names asks nobody.
func (m *Mesh) fields(taken time.Time) *object.Object {
	f := object.Of(
		"takenAt", instant(taken),
		"contexts", m.contexts(),
		"pilots", &view{m, func(o *outline) any { return o.pilots }},
		"proxies", &view{m, func(o *outline) any { return o.proxies }},
		"faults", &view{m, func(o *outline) any { return o.faults }},
	)
	m.hangLists(f)
	return f
}

func (m *Mesh) contexts() []any {
	all := []any{}
	for _, r := range m.realms {
		if name := any(r.context); r.context != "" && !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}

// Document gives the mesh.
func (m *Mesh) Document() *mesh.Object { return m.document }

// Now gives the document's time: when the newest snapshot was taken, else the
// one instant that Options gave. A config dump alone has no time of its own:
// the times in it only say when something last changed.
func (m *Mesh) Now() time.Time { return m.now }

// Close ends what is under way and closes the sources, unless they are to be
// kept: a source that can forget its answers does so then.
func (m *Mesh) Close() error {
	m.store.Close()
	if m.options.Keep {
		m.store.Settle()
		for _, s := range m.options.Sources {
			if f, ok := s.(interface{ Forget() }); ok {
				f.Forget()
			}
		}
		return nil
	}
	var first error
	for _, s := range m.options.Sources {
		if err := s.Close(); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// A view is a part of the outline.
type view struct {
	m  *Mesh
	of func(*outline) any
}

// Force reads the outline, once for all views.
func (v *view) Force(ctx context.Context) (any, error) {
	if _, _, ok := v.m.outline.Look(); !ok {
		if err := mesh.Enter(ctx); err != nil {
			return nil, err
		}
	}
	o, err := v.m.outline.Get(ctx)
	if err != nil {
		return nil, err
	}
	return v.of(o), nil
}

// Forced gives the part once the outline is read.
func (v *view) Forced() (any, bool) {
	o, err, ok := v.m.outline.Look()
	if !ok || err != nil {
		return nil, false
	}
	return v.of(o), true
}

// Pending is true until the outline is read.
func (v *view) Pending() bool {
	_, _, ok := v.m.outline.Look()
	return !ok
}

// Sectional marks a view as something that has to be asked for.
func (*view) Sectional() {}

// instant writes a time as the document has it; null for none.
func instant(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(time.RFC3339)
}

func nullable(s string) any {
	if s == "" {
		return nil
	}
	return s
}
