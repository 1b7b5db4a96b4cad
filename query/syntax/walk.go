package syntax

import (
	"iter"
	"slices"
)

// maxHeight limits the number of steps from the root of a tree to a leaf. The parser
// needs no recursion for a long chain such as a+a+a+…, but code that walks the tree does,
// and would overflow the stack.
const maxHeight = 100_000

// node is a part of the syntax tree that has a position in the source.
type node interface {
	place() Span
	// children calls visit for each child of a node. The step that visit receives is the
	// number of levels by which the child is deeper than the node. It is more than one
	// for the later elements of a list, because the evaluator may nest the elements of a
	// list.
	children(visit visitor)
}

type visitor func(child node, step int)

func (s Span) place() Span { return s }

// tooTall returns the position of a node that is more than maxHeight steps away from the
// root, if there is one. It doesn't use recursion.
func tooTall(root *Query) (at Span, tall bool) {
	type visited struct {
		node
		height int
	}
	stack := []visited{{root, 0}}
	for len(stack) > 0 {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if n.height > maxHeight {
			at := n.place()
			return Span{at.Start, min(at.End, at.Start+1)}, true
		}
		n.children(func(child node, step int) { stack = append(stack, visited{child, n.height + step}) })
	}
	return Span{}, false
}

// Queries returns all queries of a program in the order of the source. A query precedes
// the queries inside it.
func (p *Program) Queries() iter.Seq[*Query] {
	return func(yield func(*Query) bool) {
		for n := range nodes(p.Query) {
			if q, ok := n.(*Query); ok && !yield(q) {
				return
			}
		}
	}
}

// Calls returns all function calls and variables of a program in the order of the
// source. A call precedes the calls in its arguments.
func (p *Program) Calls() iter.Seq[*Func] {
	return func(yield func(*Func) bool) {
		for n := range nodes(p.Query) {
			if f, ok := n.(*Func); ok && !yield(f) {
				return
			}
		}
	}
}

// nodes returns a node and all nodes below it, in the order of the source. A node
// precedes the nodes below it. The stack use doesn't depend on the height of the tree.
func nodes(root node) iter.Seq[node] {
	return func(yield func(node) bool) {
		stack := []node{root}
		for len(stack) > 0 {
			n := stack[len(stack)-1]
			if stack = stack[:len(stack)-1]; !yield(n) {
				return
			}
			from := len(stack)
			n.children(func(child node, _ int) { stack = append(stack, child) })
			slices.Reverse(stack[from:])
		}
	}
}

func (v visitor) query(q *Query, step int) {
	if q != nil {
		v(q, step)
	}
}

func (v visitor) queries(list []*Query) {
	for i, q := range list {
		v(q, i+1)
	}
}

func (v visitor) patterns(list []*Pattern) {
	for i, p := range list {
		v(p, i+1)
	}
}

func (v visitor) literal(s *String, step int) {
	if s != nil {
		v(s, step)
	}
}

func (q *Query) children(visit visitor) {
	for _, fd := range q.FuncDefs {
		visit(fd, 1)
	}
	if q.Term != nil {
		visit(q.Term, 1)
	}
	visit.query(q.Left, 1)
	visit.patterns(q.Patterns)
	visit.query(q.Right, 1)
}

func (fd *FuncDef) children(visit visitor) { visit(fd.Body, 1) }

func (t *Term) children(visit visitor) {
	behind := visitor(func(child node, step int) { visit(child, len(t.SuffixList)+step) })
	t.base(behind)
	for i, s := range t.SuffixList {
		visit(s, i+1)
	}
}

// base visits all children of a term except those in its suffixes.
func (t *Term) base(visit visitor) {
	visit.literal(t.Str, 1)
	visit.query(t.Query, 1)
	switch t.Type {
	case TermIndex:
		visit(t.Index, 1)
	case TermFunc:
		visit(t.Func, 1)
	case TermObject:
		for i, kv := range t.Object.KeyVals {
			visit(kv, i+1)
		}
	case TermArray:
		visit.query(t.Array.Query, 1)
	case TermUnary:
		visit(t.Unary.Term, 1)
	case TermIf:
		t.If.visit(visit)
	case TermTry:
		visit.query(t.Try.Body, 1)
		visit.query(t.Try.Catch, 1)
	case TermReduce:
		visit.query(t.Reduce.Query, 1)
		visit.patterns(t.Reduce.Patterns)
		visit.query(t.Reduce.Start, 1)
		visit.query(t.Reduce.Update, 1)
	case TermForeach:
		visit.query(t.Foreach.Query, 1)
		visit.patterns(t.Foreach.Patterns)
		visit.query(t.Foreach.Start, 1)
		visit.query(t.Foreach.Update, 1)
		visit.query(t.Foreach.Extract, 1)
	case TermLabel:
		visit.query(t.Label.Body, 1)
	}
}

func (e *If) visit(visit visitor) {
	visit.query(e.Cond, 1)
	visit.query(e.Then, 1)
	for i, branch := range e.Elif {
		visit.query(branch.Cond, i+2)
		visit.query(branch.Then, i+2)
	}
	visit.query(e.Else, len(e.Elif)+1)
}

func (p *Pattern) children(visit visitor) {
	visit.patterns(p.Array)
	for i, member := range p.Object {
		visit(member, i+1)
	}
}

func (p *PatternObject) children(visit visitor) {
	visit.literal(p.KeyString, 1)
	visit.query(p.KeyQuery, 1)
	if p.Val != nil {
		visit(p.Val, 1)
	}
}

func (x *Index) children(visit visitor) {
	visit.literal(x.Str, 1)
	visit.query(x.Start, 1)
	visit.query(x.End, 1)
}

func (f *Func) children(visit visitor) { visit.queries(f.Args) }

func (s *String) children(visit visitor) { visit.queries(s.Queries) }

func (kv *ObjectKeyVal) children(visit visitor) {
	visit.literal(kv.KeyString, 1)
	visit.query(kv.KeyQuery, 1)
	visit.query(kv.Val, 1)
}

func (s *Suffix) children(visit visitor) {
	if s.Index != nil {
		visit(s.Index, 1)
	}
}
