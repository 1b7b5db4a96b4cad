package envoy

import (
	"context"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// Envoy writes a part for each kind of extension (HTTP filters, network
// filters, …); a collection takes them all.
var extensionCatalog = catalog{
	section: mesh.Extensions, kind: "EcdsConfigDump",
	lists: []list{{"ecdsFilters", stateActive}},
	field: "ecdsFilter", name: "name", inside: &decode.Node{Shallow: true},
	facts: []string{"typeURL"},
}

func (p *Proxy) extensions(ctx context.Context) (any, error) {
	all, err := p.resources(ctx, extensionCatalog)
	if err != nil {
		return nil, err
	}
	return p.objects(&extensionCatalog, "ExtensionConfig", all, extensionFields), nil
}

// extensionFields are an extension's fields. One that hasn't arrived has no
// configuration, and a null type.
func extensionFields(r *resource) *object.Object {
	m := r.document(1)
	m.Set("typeURL", nil)
	if config, ok := m.Lookup("typedConfig"); ok {
		m.Set("typeURL", mesh.Later(func(ctx context.Context) (any, error) { return mesh.Get(ctx, config, "@type") }))
	}
	return m
}
