package eval

import (
	"context"

	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// Narrower is a lazy array of objects, each with a string for its name, that
// can give those of some names for less than all of them. Where a query says
// X[] | select(.name == "a"), X is asked for these only.
type Narrower interface {
	mesh.Lazy
	// Narrow gives the elements of the names in the hint, in their order. It
	// may give others too: they are asked again. ok is false when it has to
	// be forced for that.
	Narrow(ctx context.Context, h mesh.Hint) (elements []any, ok bool, err error)
}

// wantedNames gives the names that a condition lets through, and false when it
// can't tell. It is asked when the iteration begins, and evaluates nothing that
// could fail.
type wantedNames func(e *env) ([]string, bool)

// wanted recognizes .name == E, E == .name, "or" between such, and "and" with
// one on its left: what stands on the right is not reached by the others. E is
// a string or a variable.
func (c *compiler) wanted(q *syntax.Query, s *scope) wantedNames {
	if len(q.FuncDefs) > 0 {
		return nil
	}
	if t := q.Term; t != nil {
		if t.Type == syntax.TermQuery && len(t.SuffixList) == 0 {
			return c.wanted(t.Query, s)
		}
		return nil
	}
	switch q.Op {
	case syntax.OpAnd:
		return c.wanted(q.Left, s)
	case syntax.OpOr:
		return eitherName(c.wanted(q.Left, s), c.wanted(q.Right, s))
	case syntax.OpEq:
		if isName(q.Left) {
			return oneName(q.Right, s)
		}
		if isName(q.Right) {
			return oneName(q.Left, s)
		}
	}
	return nil
}

// isName tells whether a query is just .name.
func isName(q *syntax.Query) bool {
	t := q.Term
	return t != nil && len(q.FuncDefs) == 0 && t.Type == syntax.TermIndex && len(t.SuffixList) == 0 && t.Index.Name == "name"
}

func eitherName(l, r wantedNames) wantedNames {
	if l == nil || r == nil {
		return nil
	}
	return func(e *env) ([]string, bool) {
		a, ok1 := l(e)
		b, ok2 := r(e)
		return append(a, b...), ok1 && ok2
	}
}

func oneName(q *syntax.Query, s *scope) wantedNames {
	if v, ok := literal(q); ok {
		name, ok := v.(string)
		return func(*env) ([]string, bool) { return []string{name}, ok }
	}
	t := q.Term
	if t == nil || len(q.FuncDefs) > 0 || t.Type != syntax.TermFunc || t.Func.Name[0] != '$' || len(t.SuffixList) > 0 {
		return nil
	}
	x, d := s.find(t.Func.Name)
	if x == nil {
		return nil
	}
	return func(e *env) ([]string, bool) {
		name, ok := peek(e.at(d).v).(string)
		return []string{name}, ok
	}
}

// iterateWanted is an iteration whose results a select asks for their names.
// Where positions matter, in a path expression, all elements are needed.
func iterateWanted(all *node, names wantedNames) *node {
	return &node{multi: true, gen: func(m *mach, e *env, in pv, y yield) error {
		x, ok := in.v.(Narrower)
		if !ok || in.p != nil {
			return all.gen(m, e, in, y)
		}
		if _, done := x.Forced(); done {
			return all.gen(m, e, in, y)
		}
		want, ok := names(e)
		if !ok {
			return all.gen(m, e, in, y)
		}
		elements, ok, err := x.Narrow(m.ctx, mesh.Hint{Names: want})
		if err != nil || !ok { // if it fails, it fails there too, as it has to
			return all.gen(m, e, in, y)
		}
		return m.each(pv{elements, nil}, y)
	}}
}
