package syntax

import (
	"strings"
	"unicode/utf8"
)

// Program is a parsed source: a query, or a module with definitions. Several goroutines
// may share it, so its tree must not be changed.
type Program struct {
	Query *Query
	Src   string
	File  string // name of the file in error messages; empty for the query on the command line
}

// Parse parses the source src. file is its name in error messages; it is empty for the
// query on the command line. If the source is invalid, Parse returns an [*Error] at the
// first token that isn't valid.
//
// A source that is empty or contains only definitions is a module. Its query has neither
// a Term nor an Op.
//
// Parse limits the depth of brackets to 10,000, and the height of the tree (the number of
// steps from the root to a leaf) to 100,000, so that other code can walk the tree by
// recursion.
func Parse(file, src string) (program *Program, err error) {
	p := &parser{lexer: lexer{src: src}, file: file}
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *Error:
			program, err = nil, r
		default:
			panic(r)
		}
	}()
	p.advance()
	q := p.program()
	if at, tall := tooTall(q); tall {
		p.failAt(at, "too long a chain, more than %d steps", maxHeight)
	}
	return &Program{Query: q, Src: src, File: file}, nil
}

// LineCol returns the line and the column of a byte offset in the source. Both start at
// 1. The column counts characters.
func (p *Program) LineCol(pos int) (line, col int) { return lineCol(p.Src, pos) }

func lineCol(src string, pos int) (line, col int) {
	before := src[:min(max(pos, 0), len(src))]
	line = strings.Count(before, "\n") + 1
	return line, utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
}

// program parses a whole source: ["module" constant ";"] {import} ({def} | query).
func (p *parser) program() *Query {
	start := p.tok.Start
	var meta *ConstObject
	if p.isWord("module") {
		p.advance()
		meta = p.constObject()
		p.semicolon()
	}
	var imports []*Import
	for p.isWord("import") || p.isWord("include") {
		imports = append(imports, p.imported())
	}
	defs := p.definitions()
	q := &Query{Span: Span{start, max(start, p.prev)}}
	if p.tok.kind != tokEnd {
		q = p.query()
		if p.tok.kind != tokEnd {
			p.misplaced("")
		}
		q.Start = min(q.Start, start)
	}
	q.Meta, q.Imports = meta, imports
	if len(defs) > 0 {
		q.FuncDefs = defs
	}
	return q
}

// imported parses an import: "import" path "as" (name | $name) [constant] ";", or
// "include" path [constant] ";".
func (p *parser) imported() *Import {
	start, include := p.tok.Start, p.tok.val == "include"
	p.advance()
	im := &Import{}
	path := p.take(tokString, "a module's path in double quotes")
	if include {
		im.IncludePath = path
	} else {
		im.ImportPath = path
		p.as()
		im.ImportAlias = p.nameOrVariable("a name for the module")
	}
	if p.is('{') {
		im.Meta = p.constObject()
	}
	p.semicolon()
	im.Span = Span{start, p.prev}
	return im
}

// constObject parses an object of constants, such as the metadata of a module.
func (p *parser) constObject() *ConstObject {
	open := p.tok
	p.expect('{')
	o := &ConstObject{}
	for !p.is('}') {
		o.KeyVals = append(o.KeyVals, p.constMember())
		if !p.acceptOp(OpComma) {
			break
		}
	}
	p.closeList(open, '}')
	return o
}

func (p *parser) constMember() *ConstObjectKeyVal {
	kv := &ConstObjectKeyVal{}
	switch p.tok.kind {
	case tokName, tokKeyword:
		kv.Key = p.tok.val
	case tokString:
		kv.KeyString = p.tok.val
	default:
		p.unexpected("a key")
	}
	p.advance()
	p.expect(':')
	kv.Val = p.constTerm()
	return kv
}

func (p *parser) constTerm() *ConstTerm {
	p.enter()
	defer p.leave()
	t := &ConstTerm{}
	switch {
	case p.is('{'):
		t.Object = p.constObject()
		return t
	case p.is('['):
		t.Array = p.constArray()
		return t
	case p.tok.kind == tokNumber:
		t.Number = p.tok.val
	case p.tok.kind == tokString:
		t.Str = p.tok.val
	case p.isWord("null"):
		t.Null = true
	case p.isWord("true"):
		t.True = true
	case p.isWord("false"):
		t.False = true
	default:
		p.unexpected("a constant")
	}
	p.advance()
	return t
}

// constArray parses an array of constants: "[" [constant {"," constant}] "]".
func (p *parser) constArray() *ConstArray {
	open := p.tok
	p.advance()
	a := &ConstArray{}
	if p.accept(']') {
		return a
	}
	a.Elems = append(a.Elems, p.constTerm())
	for p.acceptOp(OpComma) {
		a.Elems = append(a.Elems, p.constTerm())
	}
	p.closeList(open, ']')
	return a
}
