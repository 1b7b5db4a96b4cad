package complete

import (
	"slices"

	"github.com/meshq/kubectl-meshq/query/syntax"
)

// call returns the shapes of the results of a function call, or of a variable.
func (w *walker) call(f *syntax.Func, in shapes, s *scope) shapes {
	if f.Name[0] == '$' {
		if found := s.find(f.Name); found != nil {
			return found.of
		}
		return shapes{{form: unknown}}
	}
	if f.Name == mark {
		w.reachedMark = true
		w.shapesAtMark, w.scopeAtMark = w.shapesAtMark.union(in), s
		return nil
	}
	args := make([]*definition, len(f.Args))
	for i, a := range f.Args {
		args[i] = &definition{body: a, scope: s}
	}
	name := syntax.Key(f.Name, len(f.Args))
	if found := s.find(name); found != nil {
		return w.apply(found.def, in, args)
	}
	if d := w.base[name]; d != nil {
		return w.apply(d, in, args)
	}
	for _, a := range args { // the function is unknown, but the cursor may be in one of its arguments
		w.query(a.body, in, a.scope)
	}
	return shapes{{form: unknown}}
}

// apply returns the shapes of a function's results, given the shapes of its input. It
// returns no shapes if calls are nested deeper than maxCalls.
func (w *walker) apply(d *definition, in shapes, args []*definition) shapes {
	if w.depth >= maxCalls {
		return nil
	}
	w.depth++
	defer func() { w.depth-- }()
	if d.primary != nil {
		return d.primary(w, in, args)
	}
	s := d.scope
	for i, param := range d.params {
		if param[0] == '$' {
			v := w.query(args[i].body, in, args[i].scope)
			s = &scope{up: s, name: param, of: v}
			param = param[1:]
		}
		s = &scope{up: s, name: syntax.Key(param, 0), def: args[i]}
	}
	return w.query(d.body, in, s)
}

// primitives returns the Go functions that compute with shapes. The definitions in
// shapes.jq call them.
func primitives() map[string]*definition {
	on := func(forms ...form) *definition {
		return &definition{primary: func(_ *walker, in shapes, _ []*definition) shapes { return in.ofForm(forms...) }}
	}
	return map[string]*definition{
		"arrays/0": on(array), "objects/0": on(keyedObject, schemaObject, constructedObject), "iterables/0": on(array, keyedObject, schemaObject, constructedObject),
		"strings/0": on(text), "scalars/0": on(scalar, text), "numbers/0": on(scalar, text), "booleans/0": on(scalar, text), "nulls/0": on(scalar),
		"keys/0":  {primary: func(w *walker, in shapes, _ []*definition) shapes { return listOf(w.keys(in)) }},
		"_any/0":  {primary: func(*walker, shapes, []*definition) shapes { return shapes{{form: unknown}} }},
		"_text/0": {primary: func(*walker, shapes, []*definition) shapes { return texts() }},
		"_map/1": {primary: func(w *walker, in shapes, args []*definition) shapes {
			return shapes{{form: keyedObject, elem: w.query(args[0].body, in, args[0].scope)}}
		}},
		"_of/1": {primary: func(w *walker, in shapes, args []*definition) shapes { return in.ofKind(w.names(in, args[0])) }},
		"_kind/1": {primary: func(w *walker, in shapes, args []*definition) (out shapes) {
			if len(in) == 0 { // a function without an input has no results
				return nil
			}
			for _, name := range w.names(in, args[0]) {
				out = out.union(objectOf(name))
			}
			return out
		}},
	}
}

// names returns the strings that an argument may have as its value.
func (w *walker) names(in shapes, arg *definition) (out []string) {
	for _, s := range w.query(arg.body, in, arg.scope) {
		out = append(out, s.values...)
	}
	return slices.Compact(out)
}
