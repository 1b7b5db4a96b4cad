package section

import (
	"sync"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/store"
)

// These limits apply to a shared table: the part of the memory budget and the
// number of bytes that one table may take, and the size below which a table is
// not worth its cost.
const (
	sharedPart = 4
	sharedMost = 256 << 20
	sharedMin  = 1 << 20
)

// sharedTables deduplicates the values of the proxies in a mesh, which are mostly
// the same: a value that was decoded for one proxy is found in a table when
// another proxy is read.
//
// A table doesn't know which of its values are still used. Its whole size
// therefore counts against the memory budget for as long as a proxy that may use
// it is loaded. When a table is full, a new table serves the proxies that are
// read later. The count may be too high, never too low. The zero value is ready
// to use.
type sharedTables struct {
	mu    sync.Mutex
	first *Proxy // the first proxy of the mesh that was read
	table *decode.Twins
	share *store.Share // the memory that table uses
}

// twins returns the function that returns the shared table for the documents of a
// group. The first proxy that is read gets no table: for a single proxy, a table
// would only cost time.
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
	g.Join(t.share) // the share can't be closed while t.mu is held
	return t.table
}
