package syntax

// patterns = pattern {"?//" pattern}
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

// pattern = $name | "[" pattern {"," pattern} "]" | "{" member {"," member} "}"
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

// patternMember = $name [":" pattern] | (key | string | "(" query ")") ":" pattern
func (p *parser) patternMember() *PatternObject {
	start := p.tok
	po := &PatternObject{}
	switch {
	case start.kind == tokName || start.kind == tokVariable || start.kind == tokKeyword:
		po.Key = start.val
		p.advance()
	case p.isQuote():
		po.KeyString = p.quoted()
	case p.is('('):
		po.KeyQuery = p.parenthesized()
	default:
		p.unexpected("a key: $name, a name, a string or (query)")
	}
	if start.kind != tokVariable || p.is(':') {
		p.expect(':')
		po.Val = p.pattern()
	}
	po.Span = p.from(start.Start)
	return po
}
