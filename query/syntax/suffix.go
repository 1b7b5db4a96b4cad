package syntax

// suffixes reads everything that stands behind a term: indices, [], ?, and
// method calls.
func (p *parser) suffixes(t *Term) *Term {
	for {
		at := p.tok
		switch {
		case at.kind == tokField:
			p.advance()
			if p.is('(') {
				t = p.method(t, at)
				continue
			}
			p.add(t, &Suffix{Index: &Index{Span: at.Span, Name: at.val}}, at.Start)
		case p.accept('?'):
			p.add(t, &Suffix{Optional: true}, at.Start)
		case p.is('['):
			p.add(t, p.bracket(), at.Start)
		case p.accept('.'):
			p.add(t, p.dotted(at.Start), at.Start)
		default:
			return t
		}
	}
}

func (p *parser) add(t *Term, s *Suffix, start int) {
	s.Span = p.from(start)
	t.SuffixList = append(t.SuffixList, s)
	t.Span.End = p.prev
}

// dotted reads what stands behind a "." that follows a term.
func (p *parser) dotted(start int) *Suffix {
	if p.is('[') {
		s := p.bracket()
		if s.Index != nil {
			s.Index.Span.Start = start
		}
		return s
	}
	if !p.isQuote() {
		p.unexpected(`a field's name, a string or "["`)
	}
	x := &Index{Str: p.quoted()}
	x.Span = p.from(start)
	return &Suffix{Index: x}
}

// bracket = "[" "]" | "[" query "]" | "[" [query] ":" [query] "]", not both missing
func (p *parser) bracket() *Suffix {
	open := p.tok
	p.advance()
	if p.accept(']') {
		return &Suffix{Span: p.from(open.Start), Iter: true}
	}
	x := &Index{}
	if p.accept(':') {
		x.IsSlice = true
		x.End = p.query()
	} else {
		x.Start = p.query()
		if p.accept(':') {
			x.IsSlice = true
			if !p.is(']') {
				x.End = p.query()
			}
		}
	}
	p.close(open, ']')
	x.Span = p.from(open.Start)
	return &Suffix{Span: x.Span, Index: x}
}

// method makes a call of what stands before it: X.f(a) is (X | f(a)). A "?"
// behind it belongs to the call alone, as in X.a? it belongs to .a alone:
// [.x[].f()?] goes on behind an element that f refuses.
func (p *parser) method(receiver *Term, name token) *Term {
	call := p.methodCall(name)
	call.Span = p.from(name.Start + 1)
	for p.is('?') {
		at := p.tok.Start
		p.advance()
		p.add(call, &Suffix{Optional: true}, at)
	}
	q := operation(&Query{Span: receiver.Span, Term: receiver}, OpPipe, Span{name.Start, name.Start + 1},
		&Query{Span: call.Span, Term: call})
	return &Term{Span: q.Span, Type: TermQuery, Query: q}
}

// methodCall reads the arguments of .name(…), which may be none.
func (p *parser) methodCall(name token) *Term {
	at := Span{name.Start + 1, name.End}
	if isKeyword(name.val) {
		p.failAt(at, "%s is a keyword and cannot be called", name.val)
	}
	f := &Func{Span: at, Name: name.val, Method: true}
	open := p.tok
	p.advance()
	if !p.accept(')') {
		f.Args = p.arguments(open)
	}
	return &Term{Type: TermFunc, Func: f}
}
