package routing

import (
	"sync"
	"weak"

	"github.com/meshq/kubectl-meshq/query/document"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// Cache keeps what is made of configurations, for the length of a run:
// compiled expressions and tables of domains. The zero value is ready; it may
// be shared. It keeps no configuration alive.
type Cache struct {
	compiled sync.Map // by expression: *regexp.Regexp

	mu     sync.Mutex
	tables map[weak.Pointer[mesh.Object]]*domains
	order  []weak.Pointer[mesh.Object] // the oldest first
}

// mostTables is how many tables of domains are kept.
const mostTables = 64

// domainsOf gives the table of a route configuration. One that is no object
// of the document, which can't be told from another, has a new one each time.
func (x *Cache) domainsOf(r *document.Reader, rc any, hosts []any) *domains {
	o, ok := rc.(*mesh.Object)
	if !ok {
		return newDomains(r, hosts)
	}
	key := weak.Make(o)
	x.mu.Lock()
	d := x.tables[key]
	x.mu.Unlock()
	if d != nil {
		return d
	}
	if d = newDomains(r, hosts); r.Err != nil {
		return d
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.tables == nil {
		x.tables = map[weak.Pointer[mesh.Object]]*domains{}
	}
	if len(x.order) >= mostTables {
		delete(x.tables, x.order[0])
		x.order = x.order[1:]
	}
	if x.tables[key] == nil {
		x.order = append(x.order, key)
	}
	x.tables[key] = d
	return d
}
