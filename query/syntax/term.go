package syntax

// term parses a primary expression with its suffixes.
func (p *parser) term() *Term {
	p.enter()
	defer p.leave()
	start := p.tok.Start
	t := p.primary()
	t.Span = p.from(start)
	return p.suffixes(t)
}

// primary parses a term without its suffixes. The caller must set the term's span.
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

// field parses the field .name, or the method call .name(…) on the input.
func (p *parser) field() *Term {
	at := p.tok
	p.advance()
	if p.is('(') {
		return p.methodCall(at)
	}
	return &Term{Type: TermIndex, Index: &Index{Span: at.Span, Name: at.val}}
}

// point parses a term that begins with a dot: ".", ."name" or .[…].
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

// call parses a function call or a variable.
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

// arguments parses the arguments of a call after the opening bracket: query {";" query}
// ")".
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

// suffixes parses all suffixes of a term: indexes, [], ? and method calls.
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

// dotted parses the suffix after the dot that follows a term.
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

// bracket parses a suffix in brackets: "[" "]", "[" query "]", or "[" [query] ":" [query]
// "]" with at least one query.
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

// method converts a method call to a pipe: X.f(a) becomes (X | f(a)). A "?" after the
// call applies only to the call, just as the "?" in X.a? applies only to .a. So
// [.x[].f()?] continues with the next element if f fails for one.
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

// methodCall parses the arguments of a method call .name(…). There may be none.
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

// object parses an object construction: "{" [member {"," member} [","]] "}".
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

// member parses a member of an object construction: (key | string) [":" value], or "("
// query ")" ":" value.
func (p *parser) member() *ObjectKeyVal {
	start := p.tok
	kv := &ObjectKeyVal{}
	kv.Key, kv.KeyString, kv.KeyQuery = p.key("a key: a name, a string, $name or (query)")
	if kv.KeyQuery != nil || p.is(':') {
		p.expect(':')
		kv.Val = p.memberValue()
	}
	kv.Span = p.from(start.Start)
	return kv
}

// key parses the key of an object's member: a word, a variable, a string or a query in
// parentheses. For anything else, the error message names want as the expected token.
func (p *parser) key(want string) (name string, text *String, q *Query) {
	switch t := p.tok; {
	case t.kind == tokName || t.kind == tokVariable || t.kind == tokKeyword:
		p.advance()
		return t.val, nil, nil
	case p.isQuote():
		return "", p.quoted(), nil
	case p.is('('):
		return "", nil, p.parenthesized()
	}
	p.unexpected(want)
	return "", nil, nil
}

// memberValue parses the value of a member: expression {"|" expression},
// right-associative.
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

// quoted parses a string literal.
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

// quotedPart parses one part of a string with interpolations: a text or a query.
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
		p.inString = true // must be set before the token after the closing bracket is read
		p.advance()
	case tokEnd, tokOpenString:
		p.failAt(Span{open.Start, len(p.src)}, "unterminated string literal")
	default:
		p.unexpected("")
	}
	t.Span = p.from(part.Start)
	return &Query{Span: t.Span, Term: t}
}
