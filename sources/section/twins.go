package section

import (
	"sync"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/store"
)

// Bounds of a shared table: the part of the memory budget and the number of bytes
// that one table takes at most, and the size below which it is not worth having.
const (
	sharedPart = 4
	sharedMost = 256 << 20
	sharedMin  = 1 << 20
)

// sharedTables deduplicates what the proxies of a mesh say, which is mostly the
// same: values decoded for one proxy are found in a table when another is read.
//
// A table doesn't know who still uses its values. So its whole size counts
// against the memory budget for as long as a proxy that may use it is loaded;
// when a table is full, a new one serves the proxies read from then on. That
// counts too much, never too little. The zero value is ready to use.
type sharedTables struct {
	mu    sync.Mutex
	first *Proxy // the first proxy that was read
	table *decode.Twins
	share *store.Share // the memory of table
}

// twins returns the function that gives the documents of a group their table.
// The first proxy that is read has none: for one proxy alone, a table would only
// cost time.
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
	g.Join(t.share) // with t.mu held, so that the share is still open
	return t.table
}
