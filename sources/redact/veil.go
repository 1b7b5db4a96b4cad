package redact

import (
	"bytes"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/envoy"
	"github.com/meshq/kubectl-meshq/sources/kube"
)

// Veil returns the shape with which the decoder hides the secret texts in an answer
// of Kubernetes or istiod, those of the classes Dropped and Variable. It keeps all
// names and all other texts. file and kind are the same as for [Policy.NewReader].
func Veil(file, kind string) decode.Shape {
	s := theSchema()
	return veil{schema: s}.at(&field{holds: rootOf(file, kind)})
}

// veil is the shape of a message whose secrets are hidden.
type veil struct {
	schema *schema
	of     *message
	values *field // describes each value, if the shape is that of a map
	istiod bool   // true if the message is inside the container that runs istiod
	ours   bool   // true if the message is an environment variable that is a setting of istiod
}

// Member returns the shape of a field's value. The field's name stays
// unchanged.
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

// at returns the shape of a field's value.
func (v veil) at(f *field) decode.Shape {
	v.of, v.values = nil, nil
	switch {
	case f.class == Dropped, f.class == Variable && !(v.istiod && v.ours):
		return decode.Veiled{}
	case f.class == Variable:
		return nil
	case f.notes:
		return notes{}
	case f.number, f.dict && f.holds == "" && !f.all: // the map's values are texts, which contain no names
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

// Typed returns false, since no message is an Any.
func (veil) Typed([]byte) (decode.Shape, bool) { return nil, false }

// tag returns the name of the field whose text decides how the others are redacted,
// or "" if there is none.
func (m *message) tag() string {
	switch {
	case m.container, m.variable:
		return "name"
	case m.object && m.fields["spec"] == nil && m.fields["data"] == nil: // the kind of the object hasn't been read yet
		return "kind"
	}
	return ""
}

// tagged is the shape of a message in which the text of one field decides how
// the others are redacted.
type tagged struct {
	veil
	tag string
}

// Tag returns the name of the field whose text decides.
func (t tagged) Tag() string { return t.tag }

// Tagged returns the shape of the message for the text of the field Tag.
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

// isIstiod reports whether a container runs istiod, judged by the container's
// name.
func isIstiod(name []byte) bool { return string(name) == "discovery" }

// isSetting reports whether an environment variable is one of istiod's
// settings, and its name doesn't look secret.
func isSetting(name []byte) bool {
	return (bytes.HasPrefix(name, []byte("PILOT_")) || bytes.HasPrefix(name, []byte("ISTIO_"))) && judgeName(name, Matched) != sensitive
}

// notes is the shape of annotations. It hides the annotation in which kubectl
// stores the applied object, since that repeats every text of the object.
type notes struct{}

func (notes) Member(key []byte) (string, decode.Shape) {
	if string(key) == kube.LastApplied {
		return "", decode.Veiled{}
	}
	return "", nil
}

func (notes) Typed([]byte) (decode.Shape, bool) { return nil, false }
