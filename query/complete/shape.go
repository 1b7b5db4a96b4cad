package complete

import (
	"slices"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// form is the kind of value that a shape describes.
type form int

const (
	scalar  form = iota // null, a boolean, a number
	text                // a string
	array               // elem holds the shapes of the elements
	keyed               // an object whose keys are data; elem holds the shapes of the values
	named               // an object that the schema describes
	made                // an object that the query constructs
	unknown             // anything
)

// shape describes one form that a value may have.
type shape struct {
	form   form
	name   string   // for a named object, its name in the schema
	elem   shapes   // for an array or a keyed object, the shapes of its values
	fields []field  // for a made object, its fields in order
	values []string // for a text, the possible values; nil means any
}

type field struct {
	name string
	of   shapes
}

// shapes are all the forms that a value may have. If it is empty, nothing is
// known of the value or there is none.
type shapes []shape

// most limits the number of shapes that are followed at once.
const most = 12

func texts(values ...string) shapes { return shapes{{form: text, values: values}} }
func listOf(elem shapes) shapes     { return shapes{{form: array, elem: elem}} }
func objectOf(name string) shapes   { return shapes{{form: named, name: name}} }

// or returns the union of two sets of shapes.
func (s shapes) or(others shapes) shapes {
	if len(s) == 0 {
		return others
	}
	out := slices.Clone(s)
	for _, o := range others {
		out = out.with(o)
	}
	return out
}

func (s shapes) with(o shape) shapes {
	for i, have := range s {
		if have.form != o.form || have.name != o.name {
			continue
		}
		switch have.form {
		case scalar, unknown, named:
			return s
		case array, keyed:
			s[i].elem = have.elem.or(o.elem)
			return s
		case text:
			s[i].values = merged(have.values, o.values)
			return s
		}
	}
	if len(s) >= most {
		return s
	}
	return append(s, o)
}

// merged returns the union of two lists of values. If one list is unknown, the
// values of the other are still worth offering.
func merged(a, b []string) []string {
	out := slices.Clone(a)
	for _, v := range b {
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

// only returns the shapes of the given forms, and those of unknown form.
func (s shapes) only(forms ...form) (out shapes) {
	for _, have := range s {
		if slices.Contains(forms, have.form) || have.form == unknown {
			out = append(out, have)
		}
	}
	return out
}

// kinds returns the objects of the schema that have one of the names.
func (s shapes) kinds(names []string) (out shapes) {
	for _, have := range s {
		if have.form == named && slices.Contains(names, have.name) {
			out = append(out, have)
		}
	}
	return out
}

// world returns what shapes contain.
type world struct{ schema Schema }

// member returns the shapes of a field.
func (w world) member(in shapes, name string) (out shapes) {
	for _, s := range in {
		switch s.form {
		case named:
			if name == "kind" && !w.message(s.name) {
				out = out.or(texts(s.name))
				continue
			}
			for _, m := range w.schema.Members(s.name) {
				if m.Name == name {
					out = out.or(w.holding(m.Holding))
				}
			}
		case made:
			for _, f := range s.fields {
				if f.name == name {
					out = out.or(f.of)
				}
			}
		case keyed:
			out = out.or(s.elem)
		case unknown:
			out = out.or(shapes{s})
		}
	}
	return out
}

// message reports whether a shape is a protobuf message. Its name then contains
// a dot; the names of kinds don't.
func (w world) message(name string) bool { return slices.Contains([]byte(name), '.') }

// holding returns the shapes of a field's values.
func (w world) holding(h mesh.Holding) (out shapes) {
	for _, o := range h.Objects {
		out = out.or(objectOf(o))
	}
	switch {
	case h.Open:
		out = out.or(shapes{{form: unknown}})
	case len(h.Objects) == 0 && h.Values != nil:
		out = texts(h.Values...)
	case len(h.Objects) == 0:
		out = shapes{{form: text}}
	}
	if h.Map {
		out = shapes{{form: keyed, elem: out}}
	}
	if h.List {
		out = listOf(out)
	}
	return out
}

// elements returns the shapes of the outputs of .[].
func (w world) elements(in shapes) (out shapes) {
	for _, s := range in {
		switch s.form {
		case array, keyed:
			out = out.or(s.elem)
		case named:
			for _, m := range w.schema.Members(s.name) {
				out = out.or(w.holding(m.Holding))
			}
		case made:
			for _, f := range s.fields {
				out = out.or(f.of)
			}
		case unknown:
			out = out.or(shapes{s})
		}
	}
	return out
}

// keys returns the shape of a string that is one of the fields' names.
func (w world) keys(in shapes) shapes {
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
func (w world) members(s shape) (out []mesh.Member) {
	switch s.form {
	case named:
		return w.schema.Members(s.name)
	case made:
		for _, f := range s.fields {
			out = append(out, mesh.Member{Name: f.name})
		}
	}
	return out
}

// partly reports whether the values may have fields that are not known here.
func (s shapes) partly() bool {
	return len(s) == 0 || slices.ContainsFunc(s, func(have shape) bool { return have.form == unknown || have.form == keyed })
}
