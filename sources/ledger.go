package sources

import (
	"cmp"
	"errors"
	"io/fs"
	"slices"
	"time"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/store"
)

// Asked is one request and what came of it.
type Asked struct {
	Context string        // of kubeconfig; may be empty
	Whom    string        // the pod.namespace of an istiod or a proxy, or "kubernetes"
	What    string        // "syncz", "config_dump", "pods"
	Bytes   int64         // of the answer
	Took    time.Duration // 0 without a clock
	Again   int           // how often the answer was used again
	Missing bool          // nobody has an answer
	Err     error         // why there is none
}

// Ledger gives all requests so far: first to istiods, then to Kubernetes, then
// to proxies, each by name and request.
func (m *Mesh) Ledger() []Asked {
	type line struct {
		q question
		a Asked
	}
	var all []line
	m.mu.Lock()
	for q, a := range m.answers {
		body, err, ok := a.body.Look()
		if !ok {
			continue
		}
		l := line{q, Asked{Context: q.realm.context, Whom: q.whom, What: q.what, Took: a.took, Again: a.body.Again(), Err: err}}
		l.a.Missing = errors.Is(err, fs.ErrNotExist)
		if q.of == kubernetes {
			l.a.Whom = "kubernetes"
		}
		if body != nil {
			l.a.Bytes = body.Size()
		}
		all = append(all, l)
	}
	m.mu.Unlock()
	slices.SortFunc(all, func(a, b line) int {
		return cmp.Or(cmp.Compare(a.q.of, b.q.of), cmp.Compare(a.q.realm.number, b.q.realm.number),
			cmp.Compare(a.q.whom, b.q.whom), cmp.Compare(a.q.what, b.q.what))
	})
	out := make([]Asked, len(all))
	for i, l := range all {
		out[i] = l.a
	}
	return out
}

// Loaded is a section of a proxy that was loaded.
type Loaded struct {
	Proxy   string // its id
	Section mesh.Section
}

// Sections gives the proxies' sections that were loaded so far, each once, by
// proxy and section.
func (m *Mesh) Sections() []Loaded {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []Loaded
	for l := range m.loaded {
		all = append(all, l)
	}
	slices.SortFunc(all, func(a, b Loaded) int {
		return cmp.Or(cmp.Compare(a.Proxy, b.Proxy), cmp.Compare(a.Section, b.Section))
	})
	return all
}

// Memory tells what loading did to memory so far.
func (m *Mesh) Memory() store.Counters { return m.store.Counters() }
