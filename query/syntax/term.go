package syntax

// term reads a primary expression and all that stands behind it.
func (p *parser) term() *Term {
	p.enter()
	defer p.leave()
	start := p.tok.Start
	t := p.primary()
	t.Span = p.from(start)
	return p.suffixes(t)
}

// primary reads a term without its suffixes; its span is the caller's work.
func (p *parser) primary() *Term {
	switch p.tok.kind {
	case tokField:
		return p.field()
	case tokRecurse:
		p.advance()
		return &Term{Type: TermRecurse}
	case tokNumber:
		return &Term{Type: TermNumber, Number: p.take(tokNumber, "")}
	case tokFormat:
		t := &Term{Type: TermFormat, Format: p.take(tokFormat, "")}
		if p.isQuote() {
			t.Str = p.quoted()
		}
		return t
	case tokString, tokStringStart:
		return &Term{Type: TermString, Str: p.quoted()}
	case tokName, tokModuleName, tokVariable, tokModuleVariable:
		return p.call()
	case tokKeyword:
		return p.keyword()
	case tokOperator:
		if p.isOp(OpAdd) || p.isOp(OpSub) {
			u := &Unary{Op: p.tok.op}
			p.advance()
			u.Term = p.term()
			return &Term{Type: TermUnary, Unary: u}
		}
	case tokChar:
		switch p.tok.ch {
		case '.':
			return p.point()
		case '{':
			return &Term{Type: TermObject, Object: p.object()}
		case '[':
			return &Term{Type: TermArray, Array: p.array()}
		case '(':
			return &Term{Type: TermQuery, Query: p.parenthesized()}
		}
	}
	p.unexpected("an expression")
	return nil
}

// field reads .name, or .name(…) on the input itself.
func (p *parser) field() *Term {
	at := p.tok
	p.advance()
	if p.is('(') {
		return p.methodCall(at)
	}
	return &Term{Type: TermIndex, Index: &Index{Span: at.Span, Name: at.val}}
}

// point reads ".", ."name" and .[…].
func (p *parser) point() *Term {
	start := p.tok.Start
	p.advance()
	switch {
	case p.is('['):
		s := p.bracket()
		if s.Iter {
			return &Term{Type: TermIdentity, SuffixList: []*Suffix{s}}
		}
		s.Index.Span.Start = start
		return &Term{Type: TermIndex, Index: s.Index}
	case p.isQuote():
		x := &Index{Str: p.quoted()}
		x.Span = p.from(start)
		return &Term{Type: TermIndex, Index: x}
	}
	return &Term{Type: TermIdentity}
}

// call reads a function's name and its arguments, or a variable.
func (p *parser) call() *Term {
	name := p.tok
	f := &Func{Span: name.Span, Name: name.val}
	p.advance()
	variable := name.kind == tokVariable || name.kind == tokModuleVariable
	if open := p.tok; !variable && p.accept('(') {
		if p.is(')') {
			p.failAt(p.tok.Span, `unexpected token ")", a function without arguments is called as %s`, f.Name)
		}
		f.Args = p.arguments(open)
	}
	return &Term{Type: TermFunc, Func: f}
}

// arguments = query {";" query} ")"
func (p *parser) arguments(open token) []*Query {
	args := []*Query{p.query()}
	for p.accept(';') {
		args = append(args, p.query())
	}
	p.close(open, ')')
	return args
}

func (p *parser) array() *Array {
	open := p.tok
	p.advance()
	if p.accept(']') {
		return &Array{}
	}
	a := &Array{Query: p.query()}
	p.close(open, ']')
	return a
}

func (p *parser) parenthesized() *Query {
	open := p.tok
	p.advance()
	q := p.query()
	p.close(open, ')')
	return q
}
