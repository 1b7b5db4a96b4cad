package sources

import (
	"sync"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/store"
)

// What proxies of a mesh say is mostly the same, and is held once: by a table
// of twins, in which whoever reads a proxy finds what was read of others.
//
// A table can't tell who still holds what. So it costs the budget as a whole,
// as a share, for as long as a proxy of its time is loaded; and when it is full
// a new one takes its place, in which the proxies read from then on find each
// other. That counts too much, never too little.

// Of the budget, the most that one table takes, and the least for which one is
// worth it.
const (
	twinsPart = 4
	twinsMost = 256 << 20
	twinsMin  = 1 << 20
)

// A pool is the tables of a mesh. The zero pool is empty.
type pool struct {
	mu    sync.Mutex
	first *row // the first proxy that was read
	table *decode.Twins
	share *store.Share // what table costs
}

// twins gives what a document of the row finds its twins in. The first proxy
// that is read shares nothing: for one alone it would only cost time.
func (r *row) twins(g *store.Group) func() *decode.Twins {
	return func() *decode.Twins { return r.m.pool.twins(r, g) }
}

func (p *pool) twins(r *row, g *store.Group) *decode.Twins {
	most := min(r.m.options.Memory/twinsPart, twinsMost)
	if most < twinsMin {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.first == nil {
		p.first = r
	}
	if p.first == r {
		return nil
	}
	if p.table == nil || p.table.Full() {
		if p.share != nil {
			p.share.Close()
		}
		p.share = r.m.store.Share()
		p.table = decode.NewTwins(most, p.share.Grew)
	}
	g.Join(p.share) // under the lock: it is open
	return p.table
}
