package sources

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"time"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/store"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// A realm is one Kubernetes cluster, or a lone answer of a proxy: sources of one
// context, which answer as if they were one.
type realm struct {
	number  int
	context string
	kind    string // of the sources, as their manifests say
	sources []transport.Source
}

// lone tells whether the realm is one answer of a proxy, a config dump as a
// rule, and nothing else.
func (r *realm) lone() bool {
	return r.kind == transport.KindConfigDump || r.kind == transport.KindZtunnelDump || r.kind == transport.KindClusters
}

// realms puts sources of one context together, in the order given.
func realms(all []transport.Source) []*realm {
	var out []*realm
	for _, s := range all {
		m := s.Manifest()
		r := &realm{number: len(out), context: m.Context, kind: m.Kind}
		if !r.lone() {
			i := slices.IndexFunc(out, func(o *realm) bool { return !o.lone() && o.context == r.context })
			if i >= 0 {
				out[i].sources = append(out[i].sources, s)
				continue
			}
		}
		r.sources = []transport.Source{s}
		out = append(out, r)
	}
	return out
}

// A speaker is who is asked.
type speaker int

const (
	aPilot speaker = iota
	kubernetes
	aProxy
)

// A question is one thing asked of one speaker.
type question struct {
	realm *realm
	of    speaker
	whom  string // the pod.namespace; empty for Kubernetes
	what  string // the endpoint, the resource or the request
}

// An answer is what a question brought, and what it took.
type answer struct {
	body *store.Shared[*transport.Body]
	took time.Duration // set before body is there
}

// ask gives the answer to a question, which is asked once.
func (m *Mesh) ask(ctx context.Context, q question) (*transport.Body, error) {
	m.mu.Lock()
	a := m.answers[q]
	if a == nil {
		a = &answer{}
		a.body = store.NewShared(m.store, func(ctx context.Context) (*transport.Body, error) { return m.put(ctx, q, a) })
		m.answers[q] = a
	}
	m.mu.Unlock()
	if _, _, ok := a.body.Look(); !ok {
		release, err := m.store.Slot(ctx)
		if err != nil {
			return nil, err
		}
		defer release()
	}
	return a.body.Get(ctx)
}

// put asks the sources of a realm in turn, until one has an answer.
func (m *Mesh) put(ctx context.Context, q question, a *answer) (*transport.Body, error) {
	if clock := m.options.Clock; clock != nil {
		began := clock()
		defer func() { a.took = clock().Sub(began) }()
	}
	var first error
	for _, s := range q.realm.sources {
		b, err := q.to(ctx, s)
		if err == nil {
			return b, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if first == nil {
			first = err
		}
	}
	return nil, first
}

func (q question) to(ctx context.Context, s transport.Source) (*transport.Body, error) {
	switch q.of {
	case aPilot:
		return s.Pilot(ctx, q.whom, q.what)
	case kubernetes:
		return s.List(ctx, q.what)
	}
	return s.Fetch(ctx, q.whom, q.what, mesh.Hint{})
}

// names gathers what the sources of a realm name.
func (r *realm) names(ctx context.Context, of func(transport.Source, context.Context) ([]string, error)) ([]string, error) {
	var all []string
	var errs []error
	for _, s := range r.sources {
		names, err := of(s, ctx)
		all, errs = append(all, names...), append(errs, err)
	}
	slices.Sort(all)
	return slices.Compact(all), errors.Join(errs...)
}
