package syntax

// object = "{" [member {"," member} [","]] "}"
func (p *parser) object() *Object {
	open := p.tok
	p.advance()
	o := &Object{}
	for !p.is('}') {
		o.KeyVals = append(o.KeyVals, p.member())
		if !p.acceptOp(OpComma) {
			break
		}
	}
	if !p.accept('}') {
		p.memberless(open)
	}
	return o
}

// member = (key | string) [":" value] | "(" query ")" ":" value
func (p *parser) member() *ObjectKeyVal {
	start := p.tok
	kv := &ObjectKeyVal{}
	switch {
	case start.kind == tokName || start.kind == tokVariable || start.kind == tokKeyword:
		kv.Key = start.val
		p.advance()
	case p.isQuote():
		kv.KeyString = p.quoted()
	case p.is('('):
		kv.KeyQuery = p.parenthesized()
	default:
		p.unexpected("a key: a name, a string, $name or (query)")
	}
	if kv.KeyQuery != nil || p.is(':') {
		p.expect(':')
		kv.Val = p.memberValue()
	}
	kv.Span = p.from(start.Start)
	return kv
}

// memberValue = expression {"|" expression}, from the right
func (p *parser) memberValue() *Query {
	q := p.expression()
	var stack []pending
	for p.isOp(OpPipe) {
		stack = append(stack, pending{left: q, op: OpPipe, opSpan: p.tok.Span})
		p.advance()
		q = p.expression()
	}
	return unwind(stack, q)
}

// quoted reads a string literal.
func (p *parser) quoted() *String {
	open := p.tok
	if open.kind == tokString {
		p.advance()
		return &String{Span: open.Span, Str: open.val}
	}
	p.advance()
	s := &String{Queries: []*Query{}}
	for p.tok.kind != tokStringEnd {
		s.Queries = append(s.Queries, p.quotedPart(open))
	}
	p.advance()
	s.Span = p.from(open.Start)
	return s
}

// quotedPart reads a piece of an interpolated string, or a query in it.
func (p *parser) quotedPart(open token) *Query {
	part := p.tok
	t := &Term{}
	switch part.kind {
	case tokString:
		p.advance()
		t.Type, t.Str = TermString, &String{Span: part.Span, Str: part.val}
	case tokStringQuery:
		p.advance()
		t.Type, t.Query = TermQuery, p.query()
		if !p.is(')') {
			p.unclosed(part, `")"`)
		}
		p.inString = true // before the token behind the bracket is read
		p.advance()
	case tokEnd, tokOpenString:
		p.failAt(Span{open.Start, len(p.src)}, "unterminated string literal")
	default:
		p.unexpected("")
	}
	t.Span = p.from(part.Start)
	return &Query{Span: t.Span, Term: t}
}
