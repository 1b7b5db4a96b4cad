package envoy

import (
	"slices"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// MessageFields returns the fields of the Envoy message on which a kind is
// based, by their names in the document, sorted. It returns nil for a kind
// without such a message.
func MessageFields(kind string) []string {
	k, _ := mesh.KindOf(kind)
	m := envoyFields().message(k.Message)
	if m == nil {
		return nil
	}
	return slices.Sorted(slices.Values(m.fieldNames()))
}

// ShapeOf returns the shape of a message by its full name, or nil if the
// message is unknown. The shape of google.protobuf.Any is determined by the
// type in the value.
func ShapeOf(message string) decode.Shape {
	if message == "google.protobuf.Any" {
		return anyShape{envoyFields()}
	}
	if m := envoyFields().message(message); m != nil {
		return m
	}
	return nil
}
