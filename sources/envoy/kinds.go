package envoy

import (
	"slices"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// MessageFields returns the names that Envoy's own fields of a kind's message
// have in the document, sorted; nil for a kind that is no message of Envoy's.
func MessageFields(kind string) []string {
	k, _ := mesh.KindOf(kind)
	m := envoyFields().message(k.Message)
	if m == nil {
		return nil
	}
	return slices.Sorted(slices.Values(m.fieldNames()))
}

// ShapeOf returns the shape of a message by its full name, nil for an unknown
// one. The shape of google.protobuf.Any reads the type of what it holds.
func ShapeOf(message string) decode.Shape {
	if message == "google.protobuf.Any" {
		return anyShape{envoyFields()}
	}
	if m := envoyFields().message(message); m != nil {
		return m
	}
	return nil
}
