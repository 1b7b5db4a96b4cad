package section

import (
	"sync"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/store"
)

// These constants limit a shared table: the share of the memory budget and the
// number of bytes that one table may use, and the size below which a table
// isn't worth its cost.
const (
	sharedPart = 4
	sharedMost = 256 << 20
	sharedMin  = 1 << 20
)

// sharedTables deduplicates the values of the proxies in a mesh, which are mostly
// the same: a value that was decoded for one proxy is found in a table when
// another proxy is read.
//
// A table can't tell which of its values are still in use. Its whole size
// therefore counts against the memory budget for as long as a proxy that may use
// it is loaded. When a table is full, a new table serves the proxies that are
// read later. So the counted memory may be too high, but never too low. The zero
// value is ready to use.
type sharedTables struct {
	mu    sync.Mutex
	first *Proxy // the first proxy of the mesh that was read
	table *decode.Twins
	share *store.Share // the memory that table uses
}

// twins returns a function that returns the shared table for the documents of a
// group. The first proxy that is read gets no table, because a table would only
// cost time if no other proxy is read.
func (p *Proxy) twins(g *store.Group) func() *decode.Twins {
	return func() *decode.Twins { return p.loader.twins(p, g) }
}

func (l *Loader) twins(p *Proxy, g *store.Group) *decode.Twins {
	most := min(l.Memory/sharedPart, sharedMost)
	if most < sharedMin {
		return nil
	}
	t := &l.shared
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.first == nil {
		t.first = p
	}
	if t.first == p {
		return nil
	}
	if t.table == nil || t.table.Full() {
		if t.share != nil {
			t.share.Close()
		}
		t.share = l.store.Share()
		t.table = decode.NewTwins(most, t.share.Grew)
	}
	g.Join(t.share) // t.mu is held here, so the share can't be closed in between
	return t.table
}
