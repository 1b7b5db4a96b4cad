package fleet

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/meshq/kubectl-meshq/test/fleet/ledger"
)

// Counters count the requests that the fleet received.
type Counters struct {
	mu      sync.Mutex
	api     *tally
	istiods []*tally
	envoys  *tally
	touched map[string]bool // proxies that received a request, by name

	opened, open, most int // number of sessions to pods: opened so far, open now, and open at the same time at most
	refusals           atomic.Int64
	last               atomic.Int64
	buffers            sync.Pool
}

// A tally counts the requests to one server (the API server, an istiod, an Envoy), or to all Envoys together.
type tally struct {
	name     string
	counters *Counters
	parent   *tally // the tally of all Envoys, which counts these requests too; may be nil

	requests, bytes atomic.Int64
	overlaps        atomic.Int64 // requests that arrived while another one was being answered
	busy            atomic.Int64
	paths           map[string]int // requests by path; guarded by the counters' mu
}

func newCounters() *Counters {
	c := &Counters{touched: map[string]bool{}}
	c.buffers.New = func() any { b := make([]byte, piece+64); return &b }
	c.api, c.envoys = c.tally("API server", nil), c.tally("Envoys", nil)
	return c
}

func (c *Counters) tally(name string, parent *tally) *tally {
	return &tally{name: name, counters: c, parent: parent, paths: map[string]int{}}
}

// mostPaths is the maximum number of different paths that a tally counts.
const mostPaths = 100

// asked counts a request. The caller calls done when the request is answered.
func (t *tally) asked(path string) (done func()) {
	c := t.counters
	c.mu.Lock()
	defer c.mu.Unlock()
	for n := t; n != nil; n = n.parent {
		n.requests.Add(1)
		if n.paths[path] > 0 || len(n.paths) < mostPaths {
			n.paths[path]++
		}
	}
	if t.parent == c.envoys {
		c.touched[t.name] = true
		if t.busy.Add(1) > 1 {
			t.parent.overlaps.Add(1)
		}
		return func() { t.busy.Add(-1) }
	}
	return func() {}
}

func (t *tally) sent(bytes int64) {
	for n := t; n != nil; n = n.parent {
		n.bytes.Add(bytes)
	}
}

func (c *Counters) answered() { c.last.Store(time.Now().UnixNano()) }

// session counts a session to a pod. The caller calls ended when the session has ended.
func (c *Counters) session() (ended func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.opened++
	c.open++
	c.most = max(c.most, c.open)
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.open--
	}
}

func (t *tally) read() ledger.Asked {
	return ledger.Asked{Name: t.name, Requests: t.requests.Load(), Bytes: t.bytes.Load(), Paths: maps.Clone(t.paths)}
}

// Read returns the counts so far.
func (c *Counters) Read() ledger.Count {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := ledger.Count{
		API: c.api.read(), Envoys: c.envoys.read(), Proxies: len(c.touched), Overlaps: c.envoys.overlaps.Load(), Refusals: c.refusals.Load(),
		Sessions: c.opened, MostSessions: c.most, LastAnswer: c.last.Load(), Spent: ledger.Mine(),
	}
	for _, t := range c.istiods {
		n.Istiods = append(n.Istiods, t.read())
	}
	return n
}

// Reset sets all counts to zero.
func (c *Counters) Reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range slices.Concat([]*tally{c.api, c.envoys}, c.istiods) {
		t.requests.Store(0)
		t.bytes.Store(0)
		t.overlaps.Store(0)
		clear(t.paths)
	}
	clear(c.touched)
	c.opened, c.most = 0, c.open
	c.refusals.Store(0)
}
