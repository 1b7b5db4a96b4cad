package routing

import (
	"sync"
	"weak"

	"github.com/meshq/kubectl-meshq/query/document"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// Cache keeps what is derived from configurations during one run: compiled
// regular expressions and tables of domains. The zero value is ready to use. It
// is safe for concurrent use and keeps no configuration alive.
type Cache struct {
	compiled sync.Map // compiled expressions (*regexp.Regexp) by their text

	mu     sync.Mutex
	tables map[weak.Pointer[mesh.Object]]*domains
	order  []weak.Pointer[mesh.Object] // the keys of tables, the oldest first
}

// maxTables limits the number of tables of domains that are kept.
const maxTables = 64

// domainsOf returns the table of domains of a route configuration. The table is
// cached only if the route configuration is an object of the document, since
// only those can be identified.
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
	if len(x.order) >= maxTables {
		delete(x.tables, x.order[0])
		x.order = x.order[1:]
	}
	if x.tables[key] == nil {
		x.order = append(x.order, key)
	}
	x.tables[key] = d
	return d
}
