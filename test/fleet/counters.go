package fleet

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/meshq/kubectl-meshq/test/fleet/ledger"
)

// Counters count what the fleet was asked.
type Counters struct {
	mu      sync.Mutex
	api     *tally
	istiods []*tally
	envoys  *tally
	touched map[string]bool // proxies

	opened, open, most int // sessions to pods
	refusals           atomic.Int64
	last               atomic.Int64
	buffers            sync.Pool
}

// A tally counts the requests to one speaker, or to all Envoys.
type tally struct {
	name     string
	counters *Counters
	of       *tally // what it is a part of

	requests, bytes atomic.Int64
	overlaps        atomic.Int64 // that came while another one was under way
	busy            atomic.Int64
	paths           map[string]int // the counters' mu guards it
}

func newCounters() *Counters {
	c := &Counters{touched: map[string]bool{}}
	c.buffers.New = func() any { b := make([]byte, piece+64); return &b }
	c.api, c.envoys = c.tally("API server", nil), c.tally("Envoys", nil)
	return c
}

func (c *Counters) tally(name string, of *tally) *tally {
	return &tally{name: name, counters: c, of: of, paths: map[string]int{}}
}

// mostPaths is how many different paths are kept.
const mostPaths = 100

// asked notes a request, until it is answered.
func (t *tally) asked(path string) (done func()) {
	c := t.counters
	c.mu.Lock()
	defer c.mu.Unlock()
	for n := t; n != nil; n = n.of {
		n.requests.Add(1)
		if n.paths[path] > 0 || len(n.paths) < mostPaths {
			n.paths[path]++
		}
	}
	if t.of == c.envoys {
		c.touched[t.name] = true
		if t.busy.Add(1) > 1 {
			t.of.overlaps.Add(1)
		}
		return func() { t.busy.Add(-1) }
	}
	return func() {}
}

func (t *tally) sent(bytes int64) {
	for n := t; n != nil; n = n.of {
		n.bytes.Add(bytes)
	}
}

func (c *Counters) answered() { c.last.Store(time.Now().UnixNano()) }

// session notes a session to a pod, until it has ended.
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

// Read gives what was counted so far.
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

// Reset begins to count again.
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
