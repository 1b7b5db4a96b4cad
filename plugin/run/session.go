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

// A Session keeps meshes open between runs, for the command shell, so that
// sections that one query has read are not requested again by the next. The zero
// Session has no meshes. A run belongs to a session if its context does. Only
// one run at a time may belong to a session.
type Session struct {
	base context.Context // the parent of the meshes' contexts; a mesh stays open longer than a query

	mu      sync.Mutex
	answers map[string][]transport.Source // the open sources; the key is the flags that select them
	meshes  map[string]*sources.Mesh      // the open documents; the key is the flags that select their proxies
	results [][]any                       // the results of each query, in the order of the queries
	current *Run                          // the run that is currently reading the mesh
	isOpen  bool                          // true while results of the current query are recorded
}

// These constants limit how many results of a query, and the results of how many
// queries, a session keeps.
const (
	mostResults = 10_000
	mostQueries = 50
)

type sessionKey struct{}

// Within returns a context for the runs of the session. When ctx ends, the
// requests of the session end.
func (s *Session) Within(ctx context.Context) context.Context {
	s.base = ctx
	return context.WithValue(ctx, sessionKey{}, s)
}

func sessionOf(ctx context.Context) *Session {
	s, _ := ctx.Value(sessionKey{}).(*Session)
	return s
}

// Begin starts to record the results of a query. It returns the number of the
// query, which is also that of its variable: $_1 for the first.
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

// record stores a result of the current query.
func (s *Session) record(v any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.results); s.isOpen && n > 0 && len(s.results[n-1]) < mostResults {
		s.results[n-1] = append(s.results[n-1], v)
	}
}

// Variables returns the names and values of the variables for earlier queries. $_1,
// $_2, … are the results of the queries. Each value is the only result of its
// query, or else an array of its results. $_ is the last of these variables.
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

// Reload drops everything that was read, and all results, so that the next
// query reads the mesh again.
func (s *Session) Reload() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, m := range s.meshes {
		errs = append(errs, m.Close())
	}
	s.meshes = nil
	for i := range s.results {
		s.results[i] = nil // drop these results: they contain values of meshes that are closed now
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

// sources returns the sources that the flags of a run select. It opens them
// unless they are already open.
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

// mesh sets the document of a run. It opens the document unless it is already
// open.
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

// refuse ends the current run, because it would read more proxies than
// --max-fetch allows.
func (s *Session) refuse(err *section.TooManyError) {
	s.mu.Lock()
	r := s.current
	s.mu.Unlock()
	r.refuse(err)
}

// sourceKey returns a key for the sources that the flags of a run select.
func sourceKey(r *Run) string {
	return keyOf(r.Snapshots, r.Contexts, r.Pilots, r.Envoys, r.IstioNamespace, r.Revision, r.AdminPort, r.Kube)
}

// proxyKey returns a key for the proxies that the flags and words of a run
// select.
func proxyKey(r *Run) string {
	return keyOf(r.WhatIf, r.WhatIfNot, *r.Kube.Namespace, r.AllNamespaces, r.Selector, r.Request.Proxies, r.MaxFetch, r.Memory)
}

func keyOf(parts ...any) string {
	b, _ := json.Marshal(parts) // can't fail, because flags are plain values
	return string(b)
}

// wholeSections returns the hints for a document that serves many queries: each
// section is requested completely.
func wholeSections() map[mesh.Section]mesh.Hint {
	return map[mesh.Section]mesh.Hint{mesh.Clusters: {}, mesh.Listeners: {}, mesh.Routes: {}}
}
