package envoy

import (
	"context"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// What a section's objects take in memory beside what was decoded, in bytes,
// near enough for a budget.
const (
	costElement = 320 // an object that wasn't looked into, with what it will be made of
	costFact    = 128 // a field that is made when it is looked at
)

// later makes an object of the section, whose fields are made when it is first
// looked into. They are a copy with facts beside them: much, where every route
// is looked into, and told then.
func (p *Proxy) later(kind string, make func(context.Context) (*object.Object, error)) *mesh.Object {
	return mesh.LaterObject(kind, p.owner, func(ctx context.Context) (*object.Object, error) {
		m, err := make(ctx)
		if err == nil {
			p.grow(fieldsCost(m))
		}
		return m, err
	})
}

func fieldsCost(m *object.Object) int64 {
	cost := decode.ObjectCost(m.Len() + 1) // and its kind
	for _, v := range m.All() {
		if l, ok := v.(mesh.Lazy); ok && !l.Pending() {
			if _, decoded := v.(*decode.Value); !decoded {
				cost += costFact
			}
		}
	}
	return cost
}

// grow tells those who bear the cost of the proxy's documents.
func (p *Proxy) grow(bytes int64) {
	p.mu.Lock()
	grew := p.grew
	p.mu.Unlock()
	if grew != nil {
		grew(bytes)
	}
}

// bears takes note of who bears the cost of a document.
func (p *Proxy) bears(doc *decode.Document) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if doc.Grew != nil {
		p.grew = doc.Grew
	}
}
