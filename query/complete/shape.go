package complete

import (
	"slices"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// A form is what kind of value a shape stands for.
type form int

const (
	scalar  form = iota // null, a boolean, a number
	text                // a string
	array               // elem is what is in it
	keyed               // an object whose keys are data; elem is what is in it
	named               // an object that the schema knows
	made                // an object that the query makes
	unknown             // anything
)

// A shape is one of the forms that a value may have.
type shape struct {
	form   form
	name   string   // named: as the schema has it
	elem   shapes   // array, keyed
	fields []field  // made, in order
	values []string // text: what it may be; nil: anything
}

type field struct {
	name string
	of   shapes
}

// shapes are all forms that a value may have; none: nothing is known of it, or
// there is no such value.
type shapes []shape

// most is how many forms are followed at once.
const most = 12

func texts(values ...string) shapes { return shapes{{form: text, values: values}} }
func listOf(elem shapes) shapes     { return shapes{{form: array, elem: elem}} }
func objectOf(name string) shapes   { return shapes{{form: named, name: name}} }

// or gives the forms of both.
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

// merged gives the values of both; where those of one aren't known, those of
// the other are still worth a word.
func merged(a, b []string) []string {
	out := slices.Clone(a)
	for _, v := range b {
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

// only gives those of some forms.
func (s shapes) only(forms ...form) (out shapes) {
	for _, have := range s {
		if slices.Contains(forms, have.form) || have.form == unknown {
			out = append(out, have)
		}
	}
	return out
}

// kinds gives those objects that the schema knows by one of these names.
func (s shapes) kinds(names []string) (out shapes) {
	for _, have := range s {
		if have.form == named && slices.Contains(names, have.name) {
			out = append(out, have)
		}
	}
	return out
}

// A world knows what the shapes hold.
type world struct{ schema Schema }

// member gives what stands in a field.
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

// message tells whether a shape's name is a message's: kinds have short ones.
func (w world) message(name string) bool { return slices.Contains([]byte(name), '.') }

// holding is what a field holds, as shapes.
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

// elements gives what .[] gives.
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

// keys gives the names of the fields, as a string that is one of them.
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

// members gives the fields that are known of a shape.
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

// partly tells whether values may have fields that aren't known here.
func (s shapes) partly() bool {
	return len(s) == 0 || slices.ContainsFunc(s, func(have shape) bool { return have.form == unknown || have.form == keyed })
}
