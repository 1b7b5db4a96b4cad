package syntax

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

// misplacedNode checks the position of a node: parsing the source text at that position
// must return the same node. It returns a description of the difference, or "".
func misplacedNode(src string, n node) string {
	at := n.place()
	if at.Start < 0 || at.Start > at.End || at.End > len(src) {
		return "out of the source"
	}
	text := src[at.Start:at.End]
	if isPiece(text, n) {
		return ""
	}
	if text != strings.TrimSpace(text) {
		return "white space around it"
	}
	switch n := n.(type) {
	case *Query:
		return misplacedQuery(src, text, n)
	case *Term:
		if n.Type == TermIndex && n.Index.Span.Start != at.Start {
			return "its index begins elsewhere"
		}
		return rereads(standing(text, n), toTerm(n), func(q *Query) any { return toTerm(q.Term) })
	case *FuncDef:
		return rereads(text, toFuncDef(n), func(q *Query) any { return toFuncDef(q.FuncDefs[0]) })
	case *Import:
		return rereads(text, toImport(n), func(q *Query) any { return toImport(q.Imports[0]) })
	case *Pattern:
		return rereads(". as "+text+" | .", toPattern(n), func(q *Query) any { return toPattern(q.Patterns[0]) })
	case *PatternObject:
		whole := toPattern(&Pattern{Object: []*PatternObject{n}})
		return rereads(". as {"+text+"} | .", whole, func(q *Query) any { return toPattern(q.Patterns[0]) })
	case *ObjectKeyVal:
		whole := toTerm(&Term{Type: TermObject, Object: &Object{[]*ObjectKeyVal{n}}})
		return rereads("{"+text+"}", whole, func(q *Query) any { return toTerm(q.Term) })
	case *Suffix:
		if n.Index != nil && n.Index.Span != n.Span {
			return "its index is elsewhere"
		}
		list := toTerm(&Term{SuffixList: []*Suffix{n}}).SuffixList
		return rereads("$x"+text, list, func(q *Query) any { return toTerm(q.Term).SuffixList })
	case *Index:
		return rereads("$x"+text, toIndex(n), func(q *Query) any { return toIndex(q.Term.SuffixList[0].Index) })
	case *String:
		return rereads(text, toString(n), func(q *Query) any { return toString(q.Term.Str) })
	case *Func:
		if text != n.Name {
			return "not its name"
		}
		return ""
	}
	return "a node of no known kind"
}

// isPiece reports whether a node is a text between the interpolations of a string.
func isPiece(text string, n node) bool {
	if q, ok := n.(*Query); ok && q.Term != nil {
		n = q.Term
	}
	if t, ok := n.(*Term); ok && t.Type == TermString {
		n = t.Str
	}
	s, ok := n.(*String)
	return ok && s.Queries == nil && text[0] != '"'
}

// standing converts the source text of a term to a text that can be parsed on its own. It
// adds the dot of a method call and removes the backslash of an interpolation.
func standing(text string, t *Term) string {
	if t.Type == TermFunc && t.Func.Method && text[0] != '.' {
		return "." + text
	}
	return strings.TrimPrefix(text, `\`)
}

func misplacedQuery(src, text string, q *Query) string {
	op := src[q.OpSpan.Start:q.OpSpan.End]
	switch {
	case q.Term != nil && q.OpSpan == Span{}:
		if len(q.FuncDefs) == 0 {
			text = standing(text, q.Term)
		}
	case q.Op == OpPipe && op == "." && q.Right.Term.Func.Method:
		return rereads(text, converted(q), func(q *Query) any { return converted(q.Term.Query) })
	case q.Op == 0 && op != "", q.Op != 0 && op != q.Op.String():
		return "its operator stands at " + op
	}
	return rereads(text, converted(q), func(q *Query) any { return converted(q) })
}

// rereads parses a text, selects a part of the tree with pick, and compares that part
// with want. It returns a description of the difference, or "".
func rereads(text string, want any, pick func(*Query) any) string {
	program, err := Parse("", text)
	if err != nil {
		return "reading " + text + " again: " + err.Error()
	}
	if !reflect.DeepEqual(pick(program.Query), want) {
		return "reading " + text + " again gives another node"
	}
	return ""
}

func checkPlaces(t *testing.T, src string) (nodes int) {
	t.Helper()
	program, err := Parse("", src)
	if err != nil {
		return 0
	}
	var inside func(n node)
	inside = func(n node) {
		nodes++
		if complaint := misplacedNode(src, n); complaint != "" {
			t.Errorf("%q: %T at %v: %s", src, n, n.place(), complaint)
		}
		_, isCall := n.(*Func) // the position of a function call covers only the function's name
		n.children(func(child node, _ int) {
			if c := child.place(); !isCall && (c.Start < n.place().Start || c.End > n.place().End) {
				t.Errorf("%q: %T at %v has a %T at %v", src, n, n.place(), child, c)
			}
			inside(child)
		})
	}
	if program.Query.Meta == nil && !strings.Contains(src, "\x00") {
		for _, im := range program.Query.Imports {
			inside(im)
		}
		inside(program.Query)
	}
	return nodes
}

func (im *Import) children(visitor) {}

func TestPlaces(t *testing.T) {
	for _, src := range sources(t) {
		if len(src) < 5_000 { // each node is parsed again, which is slow for a long source
			checkPlaces(t, src)
		}
	}
	for _, c := range equivalences {
		checkPlaces(t, c.method)
	}
	r := rand.New(rand.NewPCG(9, 10))
	nodes := 0
	for range 4_000 {
		nodes += checkPlaces(t, cook(r, sources(t)))
	}
	if nodes < 5_000 {
		t.Errorf("only %d nodes looked at", nodes)
	}
}

func TestLineCol(t *testing.T) {
	p := &Program{Src: ".a\n日本 | .b\r\n\n.c"}
	for pos, want := range map[int][2]int{0: {1, 1}, 2: {1, 3}, 3: {2, 1}, 9: {2, 3}, 12: {2, 6}, 16: {3, 1}, 17: {4, 1}, 19: {4, 3}, 99: {4, 3}, -1: {1, 1}} {
		line, col := p.LineCol(pos)
		if [2]int{line, col} != want {
			t.Errorf("%d is at %d:%d, want %v", pos, line, col, want)
		}
	}
}

func TestFilesAreNamed(t *testing.T) {
	const src = ".a |\n  .b ) nosuch"
	_, err := Parse("lib/routes.jq", src)
	_, bare := Parse("", src)
	if err.Error() != `lib/routes.jq:2:6: unexpected token ")", no "(" is open` || bare.Error() != `query:2:6: unexpected token ")", no "(" is open` {
		t.Errorf("%v, %v", err, bare)
	}
	if e := *bare.(*Error); *err.(*Error) != (Error{e.Span, "lib/routes.jq", e.Src, e.Msg}) {
		t.Error("a file's error differs in more than its name")
	}
	_, err = Parse("a.jq", "def f: 1")
	if got := err.Error(); got != `a.jq:1:9: unexpected end of file, expected ";" at the end of def f` {
		t.Error(got)
	}
	program, err := Parse("a.jq", "def f: nosuch(1);")
	if err != nil {
		t.Fatal(err)
	}
	if errs := Check(program, given{}); len(errs) != 1 || errs[0].Error() != "a.jq:1:8: function not defined: nosuch/1" {
		t.Error(errs)
	}
}
