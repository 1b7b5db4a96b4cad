package envoy

import (
	"context"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// extensionCatalog collects the extensions from several parts of the dump,
// because Envoy writes one part for each kind of extension (HTTP filters,
// network filters, …).
var extensionCatalog = catalog{
	section: mesh.Extensions, part: "EcdsConfigDump",
	lists: []list{{"ecdsFilters", stateActive}},
	field: "ecdsFilter", name: "name", inside: &decode.Node{Shallow: true},
	make: extensionFields, needs: mesh.Needs("ExtensionConfig"),
}

// extensionFields returns the fields of an extension. If Envoy hasn't received
// the extension yet, it has no configuration and its type is null.
func extensionFields(_ *Proxy, r *resource) *object.Object {
	m := r.document(1)
	m.Set("typeURL", nil)
	if config, ok := m.Lookup("typedConfig"); ok {
		m.Set("typeURL", mesh.Later(func(ctx context.Context) (any, error) { return mesh.Get(ctx, config, "@type") }))
	}
	return m
}
