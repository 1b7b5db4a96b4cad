package demand

import (
	"strings"

	"github.com/meshq/kubectl-meshq/query/syntax"
)

// scope contains one visible name and its meaning: a variable, a definition, or an
// argument. An argument is itself a query.
type scope struct {
	up   *scope
	name string // the name, as "$x" or "f/1"

	gathered *Tree   // for a variable: everything that the query reads of its value
	text     *string // for a variable: its value, if that is a literal string
	def      *syntax.FuncDef
	arg      *syntax.Query // for an argument: its query
	at       *scope        // for an argument: the scope in which its query is evaluated
}

func (s *scope) find(name string) *scope {
	for ; s != nil && s.name != name; s = s.up {
	}
	return s
}

// use records which parts (want) of a variable's value are read. A variable that is
// defined outside of the query isn't part of the input and is ignored.
func (s *scope) use(name string, want *Tree) {
	if v := s.find(name); v != nil {
		v.gathered = Join(v.gathered, want)
	}
}

// textOf returns the string that an expression always yields, if it is a string literal,
// or a variable or argument that was set to one. Otherwise it returns nil.
func (a *analysis) textOf(q *syntax.Query, s *scope) *string {
	if q == nil || q.Term == nil || len(q.Term.SuffixList) > 0 || len(q.FuncDefs) > 0 {
		return nil
	}
	switch t := q.Term; t.Type {
	case syntax.TermString:
		if t.Str.Queries == nil {
			return &t.Str.Str
		}
	case syntax.TermQuery:
		return a.textOf(t.Query, s)
	case syntax.TermFunc:
		if len(t.Func.Args) > 0 {
			return nil
		}
		if t.Func.Name[0] == '$' {
			if v := s.find(t.Func.Name); v != nil {
				return v.text
			}
		} else if x := s.find(syntax.Key(t.Func.Name, 0)); x != nil && x.arg != nil {
			return a.textOf(x.arg, x.at)
		}
	}
	return nil
}

// bind adds the variables of patterns to the scope and returns the new scope. text is the
// value that the patterns destructure, if it is a known string. The returned function
// bound returns the Tree for that value. It must be called after all uses of the
// variables were analyzed.
func (a *analysis) bind(patterns []*syntax.Pattern, s *scope, text *string) (in *scope, bound func() *Tree) {
	b := &binding{in: s, opened: map[string]*scope{}}
	var all []func() *Tree
	for _, p := range patterns {
		if len(patterns) > 1 || p.Name == "" {
			text = nil
		}
		all = append(all, b.pattern(p, text))
	}
	several := len(patterns) > 1
	return b.in, func() (sum *Tree) {
		if several { // which one of several patterns matches depends on the whole value
			sum = presence()
		}
		for _, of := range all {
			sum = Join(sum, of())
		}
		return sum
	}
}

type binding struct {
	in     *scope
	opened map[string]*scope
}

// variable adds a variable to the scope. A variable that occurs in several patterns is
// added only once. The returned function returns the Tree for the variable's value.
func (b *binding) variable(name string, text *string) func() *Tree {
	v := b.opened[name]
	if v == nil {
		v = &scope{up: b.in, name: name, text: text}
		b.in, b.opened[name] = v, v
	}
	return func() *Tree { return v.gathered }
}

// pattern adds the variables of a pattern to the scope. The returned function returns the
// Tree for the value that the pattern destructures.
func (b *binding) pattern(p *syntax.Pattern, text *string) func() *Tree {
	if p.Name != "" {
		return b.variable(p.Name, text)
	}
	var parts []func() *Tree
	for _, x := range p.Array {
		of := b.pattern(x, nil)
		parts = append(parts, func() *Tree { return items(of()) })
	}
	for _, x := range p.Object {
		parts = append(parts, b.member(x))
	}
	return func() *Tree {
		sum := presence()
		for _, of := range parts {
			sum = Join(sum, of())
		}
		return sum
	}
}

func (b *binding) member(x *syntax.PatternObject) func() *Tree {
	name := x.Key
	if x.KeyString != nil && x.KeyString.Queries == nil {
		name = x.KeyString.Str
	}
	var all []func() *Tree
	if plain, ok := strings.CutPrefix(x.Key, "$"); ok {
		all = append(all, b.variable(x.Key, nil))
		name = plain
	}
	if x.Val != nil {
		all = append(all, b.pattern(x.Val, nil))
	}
	return func() *Tree {
		var of *Tree
		for _, f := range all {
			of = Join(of, f())
		}
		if name == "" {
			return each(of)
		}
		return field(name, of)
	}
}

// keys returns the parts of the input that the computed keys in patterns read.
func (a *analysis) keys(patterns []*syntax.Pattern, s *scope) (sum *Tree) {
	for _, p := range patterns {
		sum = Join(sum, a.keys(p.Array, s))
		for _, x := range p.Object {
			sum = Join(sum, a.parts(x.KeyString, s), a.query(x.KeyQuery, everything(), s))
			if x.Val != nil {
				sum = Join(sum, a.keys([]*syntax.Pattern{x.Val}, s))
			}
		}
	}
	return sum
}
