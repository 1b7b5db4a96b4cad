package demand

import (
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/query/syntax"
)

// deepest is the number of nested calls up to which a recursive definition is analyzed.
// Deeper calls are assumed to read everything.
const deepest = 2

func (a *analysis) call(f *syntax.Func, want *Tree, s *scope) *Tree {
	if f.Name[0] == '$' {
		s.use(f.Name, want)
		return nil
	}
	k := syntax.Key(f.Name, len(f.Args))
	if x := s.find(k); x != nil {
		if x.arg != nil {
			return a.query(x.arg, want, x.at)
		}
		return a.follow(x.def, x, f, want, s)
	}
	if k == "select/1" && picks(f.Args[0]) {
		return Join(a.query(f.Args[0], presence(), s), few(want))
	}
	if d := a.known[k]; d != nil {
		return a.follow(d, nil, f, want, s)
	}
	if r := a.rows[k]; r != nil {
		return r(a, f, want, s)
	}
	return Join(a.arguments(f, everything(), s), everything())
}

// arguments analyzes a call of a function that evaluates all its arguments on its own
// input.
func (a *analysis) arguments(f *syntax.Func, want *Tree, s *scope) (sum *Tree) {
	for _, q := range f.Args {
		sum = Join(sum, a.query(q, want, s))
	}
	return sum
}

// follow analyzes a call by analyzing the body of the called definition d. home is the
// scope that encloses the definition.
func (a *analysis) follow(d *syntax.FuncDef, home *scope, f *syntax.Func, want *Tree, s *scope) *Tree {
	if a.active[d] > deepest {
		return Join(a.arguments(f, everything(), s), everything())
	}
	if a.active[d] == deepest {
		want = everything() // a deeper call of this definition is assumed to read everything
	}
	a.active[d]++
	defer func() { a.active[d]-- }()
	in := home
	for i, p := range d.Args {
		in = &scope{up: in, name: syntax.Key(strings.TrimPrefix(p, "$"), 0), arg: f.Args[i], at: s}
	}
	var values []*scope
	for i, p := range d.Args {
		if p[0] == '$' {
			in = &scope{up: in, name: p, text: a.textOf(f.Args[i], s), arg: f.Args[i]}
			values = append(values, in)
		}
	}
	sum := a.query(d.Body, want, in)
	for _, v := range values {
		sum = Join(sum, a.query(v.arg, v.gathered, s))
	}
	return sum
}

// picks recognizes a condition on an element's name. If a condition selects elements by
// name, the evaluator may request only these elements (see [Names]). picks may recognize
// more conditions than the evaluator does, because its result only makes requests
// cheaper.
func picks(q *syntax.Query) bool {
	if len(q.FuncDefs) > 0 {
		return false
	}
	if t := q.Term; t != nil {
		return t.Type == syntax.TermQuery && len(t.SuffixList) == 0 && picks(t.Query)
	}
	switch q.Op {
	case syntax.OpAnd:
		kind, _ := typeAsked(q.Left)
		return picks(q.Left) || kind == "object" && picks(q.Right)
	case syntax.OpOr:
		return picks(q.Left) && picks(q.Right)
	case syntax.OpEq:
		return isName(q.Left) || isName(q.Right)
	case syntax.OpPipe:
		return len(q.Patterns) == 0 && isName(q.Left) && asksText(q.Right)
	}
	return false
}

// isName reports whether an expression reads a field that contains the name of an
// element.
func isName(q *syntax.Query) bool {
	t := q.Term
	return t != nil && len(q.FuncDefs)+len(t.SuffixList) == 0 && t.Type == syntax.TermIndex && (t.Index.Name == "name" || t.Index.Name == "cluster")
}

func asksText(q *syntax.Query) bool {
	t := q.Term
	return t != nil && len(t.SuffixList) == 0 && t.Type == syntax.TermFunc &&
		slices.Contains([]string{"test", "startswith", "endswith", "contains", "IN"}, t.Func.Name)
}
