package envoy

import (
	"context"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// Envoy writes a part for each kind of extension (HTTP filters, network filters,
// …); the collection takes them all.
var extensionCatalog = catalog{
	section: mesh.Extensions, part: "EcdsConfigDump",
	lists: []list{{"ecdsFilters", stateActive}},
	field: "ecdsFilter", name: "name", inside: &decode.Node{Shallow: true},
	make: extensionFields, needs: mesh.Needs("ExtensionConfig"),
}

// extensionFields makes an extension's fields. One that hasn't arrived has no
// configuration, and a null type.
func extensionFields(_ *Proxy, r *resource) *object.Object {
	m := r.document(1)
	m.Set("typeURL", nil)
	if config, ok := m.Lookup("typedConfig"); ok {
		m.Set("typeURL", mesh.Later(func(ctx context.Context) (any, error) { return mesh.Get(ctx, config, "@type") }))
	}
	return m
}
