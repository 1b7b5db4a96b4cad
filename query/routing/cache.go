package routing

import (
	"sync"
	"weak"

	"github.com/meshq/kubectl-meshq/query/document"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// A Cache has values that were derived from configurations during one run:
// compiled regular expressions and tables of domains. The zero value is ready to
// use. Several goroutines may use it at once. It doesn't keep a configuration in
// memory.
type Cache struct {
	compiled sync.Map // the compiled regular expressions (*regexp.Regexp), by their text

	mu     sync.Mutex
	tables map[weak.Pointer[mesh.Object]]*domains
	order  []weak.Pointer[mesh.Object] // the keys of tables in the order in which they were added
}

// maxTables is the maximum number of cached tables of domains.
const maxTables = 64

// domainsOf returns the table of domains of a route configuration. It caches the
// table only if the route configuration is an object of the document, since other
// values can't be identified when they occur again.
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
