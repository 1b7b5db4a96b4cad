package complete

import "github.com/meshq/kubectl-meshq/query/syntax"

// term returns the shapes of the results of a term with its suffixes, given the shapes of
// its input.
func (w *walker) term(t *syntax.Term, in shapes, s *scope) shapes {
	out := w.primary(t, in, s)
	for _, x := range t.SuffixList {
		switch {
		case x.Iter:
			out = w.elements(out)
		case x.Index != nil:
			out = w.index(x.Index, out, in, s)
		}
	}
	return out
}

func (w *walker) primary(t *syntax.Term, in shapes, s *scope) shapes {
	switch t.Type {
	case syntax.TermIdentity:
		return in
	case syntax.TermRecurse:
		return w.recurse(in)
	case syntax.TermIndex:
		return w.index(t.Index, in, in, s)
	case syntax.TermFunc:
		return w.call(t.Func, in, s)
	case syntax.TermObject:
		return w.object(t.Object, in, s)
	case syntax.TermArray:
		return listOf(w.query(t.Array.Query, in, s))
	case syntax.TermString, syntax.TermFormat:
		return w.literal(t.Str, in, s)
	case syntax.TermQuery:
		return w.query(t.Query, in, s)
	case syntax.TermUnary:
		return w.term(t.Unary.Term, in, s)
	case syntax.TermBreak:
		return nil
	case syntax.TermLabel:
		return w.query(t.Label.Body, in, s)
	case syntax.TermIf, syntax.TermTry, syntax.TermReduce, syntax.TermForeach:
		return w.control(t, in, s)
	}
	return shapes{{form: scalar}}
}

// recurse returns the shapes of the results of "..": the shapes of the input, and the
// unknown shape for all values inside the input.
func (w *walker) recurse(in shapes) shapes {
	return in.union(shapes{{form: unknown}})
}

func (w *walker) control(t *syntax.Term, in shapes, s *scope) shapes {
	switch t.Type {
	case syntax.TermIf:
		w.query(t.If.Cond, in, s)
		out := w.query(t.If.Then, in, s)
		for _, e := range t.If.Elif {
			w.query(e.Cond, in, s)
			out = out.union(w.query(e.Then, in, s))
		}
		if t.If.Else == nil {
			return out.union(in)
		}
		return out.union(w.query(t.If.Else, in, s))
	case syntax.TermTry:
		out := w.query(t.Try.Body, in, s)
		return out.union(w.query(t.Try.Catch, texts(), s))
	case syntax.TermReduce:
		r := t.Reduce
		inner := w.bindAll(r.Patterns, w.query(r.Query, in, s), in, s)
		state := w.query(r.Start, in, s)
		for range 2 {
			state = state.union(w.query(r.Update, state, inner))
		}
		return state
	}
	f := t.Foreach
	inner := w.bindAll(f.Patterns, w.query(f.Query, in, s), in, s)
	state := w.query(f.Start, in, s)
	for range 2 {
		state = state.union(w.query(f.Update, state, inner))
	}
	if f.Extract == nil {
		return state
	}
	return w.query(f.Extract, state, inner)
}

// index returns the shapes of the results of .name, ."name" or .[…]. The second parameter
// contains the shapes of the value that is indexed. The third parameter contains the
// shapes of the whole term's input, which is also the input of an expression in the
// brackets.
func (w *walker) index(x *syntax.Index, of, in shapes, s *scope) shapes {
	if x.Name != "" {
		return w.member(of, x.Name)
	}
	if x.Str != nil {
		w.literal(x.Str, in, s)
		if x.Str.Queries == nil {
			return w.member(of, x.Str.Str)
		}
		return w.elements(of)
	}
	by := w.query(x.Start, in, s).union(w.query(x.End, in, s))
	if x.IsSlice {
		return of
	}
	var out shapes
	for _, b := range by.ofForm(text) {
		for _, v := range b.values {
			out = out.union(w.member(of, v))
		}
	}
	if out != nil {
		return out
	}
	return w.elements(of)
}

// literal returns the shape of a string literal. It also interprets the queries in its
// interpolations.
func (w *walker) literal(str *syntax.String, in shapes, s *scope) shapes {
	if str == nil {
		return texts()
	}
	for _, q := range str.Queries {
		w.query(q, in, s)
	}
	if str.Queries != nil {
		return texts()
	}
	return texts(str.Str)
}

func (w *walker) object(o *syntax.Object, in shapes, s *scope) shapes {
	out := shape{form: constructedObject}
	for _, kv := range o.KeyVals {
		name, of := kv.Key, shapes(nil)
		switch {
		case name != "" && name[0] == '$':
			if found := s.find(name); found != nil {
				of = found.of
			}
			name = name[1:]
		case kv.KeyString != nil:
			if w.literal(kv.KeyString, in, s); kv.KeyString.Queries == nil {
				name = kv.KeyString.Str
			}
		case kv.KeyQuery != nil:
			for _, k := range w.query(kv.KeyQuery, in, s).ofForm(text) {
				if len(k.values) == 1 {
					name = k.values[0]
				}
			}
		}
		switch {
		case kv.Val != nil:
			of = w.query(kv.Val, in, s)
		case of == nil:
			of = w.member(in, name)
		}
		if name != "" {
			out.set(field{name, of})
		}
	}
	return shapes{out}
}
