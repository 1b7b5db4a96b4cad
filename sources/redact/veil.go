package redact

import (
	"bytes"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/envoy"
	"github.com/meshq/kubectl-meshq/sources/kube"
)

// Veil gives the shape of an answer of Kubernetes or of istiod that hides what
// no document shows: the texts that the table drops. All names and all other
// texts stay. file and kind are those of [Policy.NewReader].
func Veil(file, kind string) decode.Shape {
	s := theSchema()
	return veil{schema: s}.at(&field{holds: rootOf(file, kind)})
}

// veil is the shape of a message.
type veil struct {
	schema *schema
	of     *message
	values *field // of a map: what its values are
	istiod bool   // in istiod's own container
	ours   bool   // of a variable that is one of istiod's settings
}

// Member gives the shape of what is at a field.
func (v veil) Member(key []byte) (string, decode.Shape) {
	f := v.values
	if v.of != nil {
		var ok bool
		if f, ok = v.of.fields[string(key)]; !ok {
			f = v.of.rest
		}
	}
	return "", v.at(f)
}

// at gives the shape of a field's value.
func (v veil) at(f *field) decode.Shape {
	v.of, v.values = nil, nil
	switch {
	case f.class == Dropped, f.class == Variable && !(v.istiod && v.ours):
		return decode.Veiled{}
	case f.class == Variable:
		return nil
	case f.notes:
		return notes{}
	case f.number, f.dict && f.holds == "" && !f.all: // texts
		return nil
	case f.dict:
		v.values = f.value
		return v
	}
	if v.of = v.schema.held(f); v.of == nil {
		return envoy.StructShape()
	}
	if tag := v.of.tag(); tag != "" {
		return tagged{v, tag}
	}
	return v
}

// Typed says that a message is no Any.
func (veil) Typed([]byte) (decode.Shape, bool) { return nil, false }

// tag is the field whose text says what is to be known of a message; "" where
// there is none.
func (m *message) tag() string {
	switch {
	case m.container, m.variable:
		return "name"
	case m.object && m.fields["spec"] == nil && m.fields["data"] == nil: // of a kind that nobody told
		return "kind"
	}
	return ""
}

// tagged is the shape of a message of which one text is to be known first.
type tagged struct {
	veil
	tag string
}

// Tag names the text.
func (t tagged) Tag() string { return t.tag }

// Tagged gives the shape once the text is known.
func (t tagged) Tagged(text []byte) decode.Shape {
	v := t.veil
	switch {
	case v.of.container:
		v.istiod = isIstiod(text)
	case v.of.variable:
		v.ours = isSetting(text)
	default:
		v.of = v.schema.objectOf(string(text))
	}
	return v
}

// isIstiod tells istiod's container by its name.
func isIstiod(name []byte) bool { return string(name) == "discovery" }

// isSetting tells whether a variable of istiod's is a setting by its name, and
// one that doesn't look secret.
func isSetting(name []byte) bool {
	return (bytes.HasPrefix(name, []byte("PILOT_")) || bytes.HasPrefix(name, []byte("ISTIO_"))) && judgeName(name, Matched) != sensitive
}

// notes is the shape of annotations: what kubectl applied has everything in it.
type notes struct{}

func (notes) Member(key []byte) (string, decode.Shape) {
	if string(key) == kube.LastApplied {
		return "", decode.Veiled{}
	}
	return "", nil
}

func (notes) Typed([]byte) (decode.Shape, bool) { return nil, false }
