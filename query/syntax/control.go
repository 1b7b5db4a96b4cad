package syntax

// keyword parses a term that starts with a keyword.
func (p *parser) keyword() *Term {
	word := p.tok
	switch word.val {
	case "null", "true", "false", "if", "try", "reduce", "foreach", "break":
		p.advance()
	default:
		p.unexpected("an expression")
	}
	switch word.val {
	case "null":
		return &Term{Type: TermNull}
	case "true":
		return &Term{Type: TermTrue}
	case "false":
		return &Term{Type: TermFalse}
	case "if":
		return &Term{Type: TermIf, If: p.conditional(word)}
	case "try":
		return &Term{Type: TermTry, Try: p.try()}
	case "reduce":
		return &Term{Type: TermReduce, Reduce: p.reduce()}
	case "foreach":
		return &Term{Type: TermForeach, Foreach: p.foreach()}
	}
	return &Term{Type: TermBreak, Break: p.take(tokVariable, "a label's name such as $out")}
}

// conditional parses the rest of an if expression after the keyword "if": query "then"
// query {"elif" query "then" query} ["else" query] "end".
func (p *parser) conditional(open token) *If {
	e := &If{Cond: p.query()}
	p.word("then")
	e.Then = p.query()
	for p.isWord("elif") {
		p.advance()
		branch := &IfElif{Cond: p.query()}
		p.word("then")
		branch.Then = p.query()
		e.Elif = append(e.Elif, branch)
	}
	elseIf := false
	if p.isWord("else") {
		p.advance()
		elseIf = p.isWord("if")
		e.Else = p.query()
	}
	if !p.advanceIf(p.isWord("end")) {
		p.endless(open, elseIf)
	}
	return e
}

// try parses the rest of a try expression after the keyword "try": term ["catch" term].
// Each term may have suffixes.
func (p *parser) try() *Try {
	e := &Try{Body: p.termQuery()}
	if p.isWord("catch") {
		p.advance()
		e.Catch = p.termQuery()
	}
	return e
}

func (p *parser) termQuery() *Query {
	t := p.term()
	return &Query{Span: t.Span, Term: t}
}

// reduce parses the rest of a reduce expression after the keyword "reduce": expression
// "as" patterns "(" query ";" query ")".
func (p *parser) reduce() *Reduce {
	e := &Reduce{}
	var open token
	e.Query, e.Patterns, open = p.folded()
	e.Start = p.query()
	p.semicolon()
	e.Update = p.query()
	p.close(open, ')')
	return e
}

// foreach parses the rest of a foreach expression after the keyword "foreach": expression
// "as" patterns "(" query ";" query [";" query] ")".
func (p *parser) foreach() *Foreach {
	e := &Foreach{}
	var open token
	e.Query, e.Patterns, open = p.folded()
	e.Start = p.query()
	p.semicolon()
	e.Update = p.query()
	if p.accept(';') {
		e.Extract = p.query()
	}
	p.close(open, ')')
	return e
}

// folded parses what reduce and foreach have in common: the part from the keyword to the
// opening bracket.
func (p *parser) folded() (source *Query, patterns []*Pattern, open token) {
	source = p.expression()
	p.as()
	patterns = p.patterns()
	open = p.tok
	p.expect('(')
	return source, patterns, open
}

// patterns parses one or more alternative patterns: pattern {"?//" pattern}.
func (p *parser) patterns() []*Pattern {
	list := []*Pattern{p.pattern()}
	for p.accept('?') {
		if !p.acceptOp(OpAlt) {
			p.unexpected(`"//" behind the "?"`)
		}
		list = append(list, p.pattern())
	}
	return list
}

// pattern parses a pattern: $name, "[" pattern {"," pattern} "]", or "{" member
// {"," member} "}".
func (p *parser) pattern() *Pattern {
	p.enter()
	defer p.leave()
	open := p.tok
	pt := &Pattern{}
	switch {
	case open.kind == tokVariable:
		pt.Name = open.val
		p.advance()
	case p.accept('['):
		pt.Array = append(pt.Array, p.pattern())
		for p.acceptOp(OpComma) {
			pt.Array = append(pt.Array, p.pattern())
		}
		p.closeList(open, ']')
	case p.accept('{'):
		pt.Object = append(pt.Object, p.patternMember())
		for p.acceptOp(OpComma) {
			pt.Object = append(pt.Object, p.patternMember())
		}
		p.closeList(open, '}')
	default:
		p.unexpected("a variable such as $x, or a pattern")
	}
	pt.Span = p.from(open.Start)
	return pt
}

// patternMember parses a member of an object pattern: $name [":" pattern], or (key
// | string | "(" query ")") ":" pattern.
func (p *parser) patternMember() *PatternObject {
	start := p.tok
	po := &PatternObject{}
	po.Key, po.KeyString, po.KeyQuery = p.key("a key: $name, a name, a string or (query)")
	if start.kind != tokVariable || p.is(':') {
		p.expect(':')
		po.Val = p.pattern()
	}
	po.Span = p.from(start.Start)
	return po
}
