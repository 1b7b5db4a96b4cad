package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/meshq/kubectl-meshq/sources"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/section"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// A Session keeps meshes open between runs, for the command shell: sections that
// one query read are not requested again by the next. The zero Session has none.
// Runs belong to a session if their context does, and run one after another.
type Session struct {
	base context.Context // the lifetime of the meshes, which outlive the queries

	mu      sync.Mutex
	answers map[string][]transport.Source // the open sources, by the flags that select them
	meshes  map[string]*sources.Mesh      // the open documents, by the flags that select their proxies
	results [][]any                       // the results of each query, in order
	current *Run                          // the run that reads the mesh now
	isOpen  bool                          // whether the current query is recorded
}

// mostResults is how many results of a query, and of how many queries, a session
// keeps.
const (
	mostResults = 10_000
	mostQueries = 50
)

type sessionKey struct{}

// Within returns a context whose runs belong to the session. The end of ctx ends
// the session's requests.
func (s *Session) Within(ctx context.Context) context.Context {
	s.base = ctx
	return context.WithValue(ctx, sessionKey{}, s)
}

func sessionOf(ctx context.Context) *Session {
	s, _ := ctx.Value(sessionKey{}).(*Session)
	return s
}

// Begin starts to record the results of a query. It returns the query's number,
// which is that of its variable: $_1 for the first.
func (s *Session) Begin() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.results, s.isOpen = append(s.results, []any{}), true
	if n := len(s.results) - mostQueries; n > 0 {
		s.results[n-1] = nil
	}
	return len(s.results)
}

// End stops recording.
func (s *Session) End() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.isOpen = false
}

// record keeps a result of the current query.
func (s *Session) record(v any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.results); s.isOpen && n > 0 && len(s.results[n-1]) < mostResults {
		s.results[n-1] = append(s.results[n-1], v)
	}
}

// Variables returns the names and values of the earlier queries: $_1, $_2, …, each
// the result of a query, or an array if it had none or several; and $_, the last of
// them.
func (s *Session) Variables() (names []string, values []any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	done := s.results
	if s.isOpen {
		done = done[:len(done)-1]
	}
	var last any
	for i, all := range done {
		if all == nil {
			continue
		}
		var v any = slices.Clone(all)
		if len(all) == 1 {
			v = all[0]
		}
		names, values = append(names, fmt.Sprintf("$_%d", i+1)), append(values, v)
		last = v
	}
	return append(names, "$_"), append(values, last)
}

// Reload forgets everything that was read, and all results.
func (s *Session) Reload() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, m := range s.meshes {
		errs = append(errs, m.Close())
	}
	s.meshes = nil
	for i := range s.results {
		s.results[i] = nil // their values belong to the closed meshes
	}
	return errors.Join(errs...)
}

// Close closes everything that the session keeps open.
func (s *Session) Close() error {
	err := s.Reload()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, all := range s.answers {
		err = errors.Join(err, closeSources(all))
	}
	s.answers = nil
	return err
}

// sources returns the open sources that the flags of a run select.
func (s *Session) sources(r *Run, open func() ([]transport.Source, error)) ([]transport.Source, error) {
	key := sourceKey(r)
	s.mu.Lock()
	all, ok := s.answers[key]
	s.mu.Unlock()
	if ok {
		return all, nil
	}
	all, err := open()
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.answers == nil {
		s.answers = map[string][]transport.Source{}
	}
	s.answers[key] = all
	return all, nil
}

// mesh sets the document of a run: an open one, or one that it opens.
func (s *Session) mesh(r *Run, answers []transport.Source) error {
	key := sourceKey(r) + proxyKey(r)
	s.mu.Lock()
	s.current = r
	m, ok := s.meshes[key]
	s.mu.Unlock()
	if ok {
		r.Mesh = m
		return nil
	}
	r.session = s
	if err := r.OpenMesh(s.base, answers); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.meshes == nil {
		s.meshes = map[string]*sources.Mesh{}
	}
	s.meshes[key] = r.Mesh
	return nil
}

// refuse ends the current run, which would read more proxies than --max-fetch
// allows.
func (s *Session) refuse(err *section.TooManyError) {
	s.mu.Lock()
	r := s.current
	s.mu.Unlock()
	r.refuse(err)
}

// sourceKey identifies the sources that a run's flags select.
func sourceKey(r *Run) string {
	return keyOf(r.Snapshots, r.Contexts, r.Pilots, r.Envoys, r.IstioNamespace, r.Revision, r.AdminPort, r.Kube)
}

// proxyKey identifies the proxies that a run's flags and words select.
func proxyKey(r *Run) string {
	return keyOf(r.WhatIf, r.WhatIfNot, *r.Kube.Namespace, r.AllNamespaces, r.Selector, r.Request.Proxies, r.MaxFetch, r.Memory)
}

func keyOf(parts ...any) string {
	b, _ := json.Marshal(parts) // flags can always be marshaled
	return string(b)
}

// wholeSections are the hints of a document that serves many queries: each
// section is requested as a whole.
func wholeSections() map[mesh.Section]mesh.Hint {
	return map[mesh.Section]mesh.Hint{mesh.Clusters: {}, mesh.Listeners: {}, mesh.Routes: {}}
}
