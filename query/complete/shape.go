package complete

import (
	"slices"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// form is the kind of value that a [shape] describes.
type form int

const (
	scalar            form = iota // null, a boolean or a number
	text                          // a string
	array                         // an array; elem contains the shapes of its elements
	keyedObject                   // an object whose keys are data; elem contains the shapes of its values
	schemaObject                  // an object whose fields are in the schema
	constructedObject             // an object that the query constructs
	unknown                       // a value about which nothing is known
)

// shape describes one kind of value that an expression may have, such as an array with
// its elements or an object with its fields.
type shape struct {
	form   form
	name   string   // for a schemaObject: its name in the schema
	elem   shapes   // for an array or a keyedObject: shapes of its elements or values
	fields []field  // for a constructedObject: its fields in order
	values []string // for a text: its possible values; nil if it may have any value
}

type field struct {
	name string
	of   shapes
}

// shapes contains one shape for each kind of value that an expression may have. It is
// empty if nothing is known about the value, or if the expression has no value.
type shapes []shape

// maxShapes limits the number of shapes that are distinguished for one expression.
const maxShapes = 12

func texts(values ...string) shapes { return shapes{{form: text, values: values}} }
func listOf(elem shapes) shapes     { return shapes{{form: array, elem: elem}} }
func objectOf(name string) shapes   { return shapes{{form: schemaObject, name: name}} }

// union returns the union of two sets of shapes.
func (s shapes) union(others shapes) shapes {
	if len(s) == 0 {
		return others
	}
	out := slices.Clone(s)
	for _, o := range others {
		out = out.add(o)
	}
	return out
}

func (s shapes) add(o shape) shapes {
	for i, have := range s {
		if have.form != o.form || have.name != o.name {
			continue
		}
		switch have.form {
		case scalar, unknown, schemaObject:
			return s
		case array, keyedObject:
			s[i].elem = have.elem.union(o.elem)
			return s
		case text:
			s[i].values = unionValues(have.values, o.values)
			return s
		}
	}
	if len(s) >= maxShapes {
		return s
	}
	return append(s, o)
}

// unionValues returns the union of two lists of possible texts. If one list is unknown,
// it returns the other one, because its texts are useful candidates anyway.
func unionValues(a, b []string) []string {
	out := slices.Clone(a)
	for _, v := range b {
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

// ofForm returns the shapes that have one of the given forms, and those of unknown form.
func (s shapes) ofForm(forms ...form) (out shapes) {
	for _, have := range s {
		if slices.Contains(forms, have.form) || have.form == unknown {
			out = append(out, have)
		}
	}
	return out
}

// ofKind returns the shapes of schema objects that have one of the given names.
func (s shapes) ofKind(names []string) (out shapes) {
	for _, have := range s {
		if have.form == schemaObject && slices.Contains(names, have.name) {
			out = append(out, have)
		}
	}
	return out
}

// shapeContents determines the shapes of the parts of a value: its fields or its
// elements.
type shapeContents struct{ schema Schema }

// member returns the shapes of the field with this name.
func (w shapeContents) member(in shapes, name string) (out shapes) {
	for _, s := range in {
		switch s.form {
		case schemaObject:
			if name == "kind" && !w.isMessage(s.name) {
				out = out.union(texts(s.name))
				continue
			}
			for _, m := range w.schema.Members(s.name) {
				if m.Name == name {
					out = out.union(w.shapesOf(m.Holding))
				}
			}
		case constructedObject:
			for _, f := range s.fields {
				if f.name == name {
					out = out.union(f.of)
				}
			}
		case keyedObject:
			out = out.union(s.elem)
		case unknown:
			out = out.union(shapes{s})
		}
	}
	return out
}

// isMessage reports whether a shape is a protobuf message, according to its name. Such a
// name contains a dot; the names of other kinds don't.
func (w shapeContents) isMessage(name string) bool { return slices.Contains([]byte(name), '.') }

// shapesOf converts the schema's description of a field's values to shapes.
func (w shapeContents) shapesOf(h mesh.Holding) (out shapes) {
	for _, o := range h.Objects {
		out = out.union(objectOf(o))
	}
	switch {
	case h.Open:
		out = out.union(shapes{{form: unknown}})
	case len(h.Objects) == 0 && h.Values != nil:
		out = texts(h.Values...)
	case len(h.Objects) == 0:
		out = shapes{{form: text}}
	}
	if h.Map {
		out = shapes{{form: keyedObject, elem: out}}
	}
	if h.List {
		out = listOf(out)
	}
	return out
}

// elements returns the shapes of the results of .[] for a value.
func (w shapeContents) elements(in shapes) (out shapes) {
	for _, s := range in {
		switch s.form {
		case array, keyedObject:
			out = out.union(s.elem)
		case schemaObject:
			for _, m := range w.schema.Members(s.name) {
				out = out.union(w.shapesOf(m.Holding))
			}
		case constructedObject:
			for _, f := range s.fields {
				out = out.union(f.of)
			}
		case unknown:
			out = out.union(shapes{s})
		}
	}
	return out
}

// keys returns the shape of the keys of a value: a string whose possible texts are the
// names of the value's fields.
func (w shapeContents) keys(in shapes) shapes {
	names := []string{}
	for _, s := range in {
		for _, m := range w.members(s) {
			names = append(names, m.Name)
		}
	}
	if len(names) == 0 {
		return texts()
	}
	slices.Sort(names)
	return texts(slices.Compact(names)...)
}

// members returns the known fields of a shape.
func (w shapeContents) members(s shape) (out []mesh.Member) {
	switch s.form {
	case schemaObject:
		return w.schema.Members(s.name)
	case constructedObject:
		for _, f := range s.fields {
			out = append(out, mesh.Member{Name: f.name})
		}
	}
	return out
}

// hasUnknownFields reports whether the values may have fields that aren't known.
func (s shapes) hasUnknownFields() bool {
	return len(s) == 0 || slices.ContainsFunc(s, func(have shape) bool { return have.form == unknown || have.form == keyedObject })
}
