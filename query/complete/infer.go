package complete

import (
	"github.com/meshq/kubectl-meshq/query/syntax"
)

// walker interprets a query with shapes (kinds of values) instead of values. It
// determines which shapes the values at the cursor can have.
type walker struct {
	shapeContents
	base         map[string]*definition // definitions of the functions of jq and of the library, by "name/arity"
	stepsLeft    int                    // remaining number of steps, after which the interpretation ends
	depth        int                    // current depth of nested calls
	reachedMark  bool                   // whether the interpretation has reached the cursor
	shapesAtMark shapes                 // shapes of the values that can occur at the cursor
	scopeAtMark  *scope                 // names that are visible at the cursor
}

const (
	maxSteps = 60_000
	maxCalls = 40
)

// scope is one visible name, and a link to the enclosing scope.
type scope struct {
	up   *scope
	name string // the name: "$x" for a variable, "f/1" for a function
	of   shapes // shapes of the values of a variable
	def  *definition
}

// definition is the body of a function, and the scope in which the body is evaluated. An
// argument of a call is a closure in jq, so it is represented as a definition without
// parameters.
type definition struct {
	params  []string
	body    *syntax.Query
	scope   *scope
	self    string // name of the function; empty if the definition is an argument of a call
	primary func(w *walker, in shapes, args []*definition) shapes
	doc     string
}

func (s *scope) find(name string) *scope {
	for ; s != nil; s = s.up {
		if s.name == name {
			return s
		}
	}
	return nil
}

// query returns the shapes of the results of a query, given the shapes of its input.
func (w *walker) query(q *syntax.Query, in shapes, s *scope) shapes {
	if w.stepsLeft--; q == nil || w.stepsLeft < 0 {
		return nil
	}
	for _, fd := range q.FuncDefs {
		s = w.define(fd, s)
	}
	switch {
	case q.Term != nil:
		return w.term(q.Term, in, s)
	case q.Op == syntax.OpPipe && len(q.Patterns) > 0:
		return w.query(q.Right, in, w.bindAll(q.Patterns, w.query(q.Left, in, s), in, s))
	case q.Op == syntax.OpPipe:
		left := w.query(q.Left, in, s)
		right := w.query(q.Right, left, s)
		if len(left) == 0 { // if the left side has no results, the right side isn't evaluated
			return nil
		}
		return right
	case q.Op == 0:
		return nil
	}
	left := w.query(q.Left, in, s)
	if q.Op == syntax.OpModify {
		w.query(q.Right, left, s)
		return in
	}
	right := w.query(q.Right, in, s)
	switch q.Op {
	case syntax.OpComma, syntax.OpAlt:
		return left.union(right)
	case syntax.OpAdd:
		return added(left, right)
	case syntax.OpSub, syntax.OpMul:
		return left
	case syntax.OpDiv, syntax.OpMod:
		return shapes{{form: scalar}}
	case syntax.OpEq, syntax.OpNe, syntax.OpLt, syntax.OpLe, syntax.OpGt, syntax.OpGe, syntax.OpAnd, syntax.OpOr:
		return shapes{{form: scalar}}
	}
	return in // the result of an assignment has the shape of its input
}

// added returns the shapes of a sum. If both operands are objects that the query
// constructs, the sum has the fields of both.
func added(a, b shapes) shapes {
	if len(a) == 1 && len(b) == 1 && a[0].form == constructedObject && b[0].form == constructedObject {
		out := shape{form: constructedObject}
		for _, f := range append(append([]field{}, a[0].fields...), b[0].fields...) {
			out.set(f)
		}
		return shapes{out}
	}
	return a.union(b)
}

func (s *shape) set(f field) {
	for i := range s.fields {
		if s.fields[i].name == f.name {
			s.fields[i] = f
			return
		}
	}
	s.fields = append(s.fields, f)
}

// define adds a function to the scope. The function is also visible in its own body.
func (w *walker) define(fd *syntax.FuncDef, s *scope) *scope {
	d := &definition{params: fd.Args, body: fd.Body, self: syntax.Key(fd.Name, len(fd.Args))}
	s = &scope{up: s, name: d.self, def: d}
	d.scope = s
	return s
}

// bindAll returns the scope after "as" with one or more alternative patterns (joined by
// ?//). The scope contains the variables of all patterns, because any of them may match.
func (w *walker) bindAll(patterns []*syntax.Pattern, of, in shapes, s *scope) *scope {
	for _, p := range patterns {
		s = w.bind(p, of, in, s)
	}
	return s
}

func (w *walker) bind(p *syntax.Pattern, of, in shapes, s *scope) *scope {
	if p == nil {
		return s
	}
	if p.Name != "" {
		return &scope{up: s, name: p.Name, of: of}
	}
	for _, e := range p.Array {
		s = w.bind(e, w.elements(of.ofForm(array)), in, s)
	}
	for _, m := range p.Object {
		name, held := m.Key, of
		if len(name) > 0 && name[0] == '$' {
			held = w.member(of, name[1:])
			s = &scope{up: s, name: name, of: held}
		} else if name != "" {
			held = w.member(of, name)
		} else if m.KeyString != nil && m.KeyString.Queries == nil {
			held = w.member(of, m.KeyString.Str)
		} else {
			w.query(m.KeyQuery, in, s)
			held = w.elements(of)
		}
		s = w.bind(m.Val, held, in, s)
	}
	return s
}
