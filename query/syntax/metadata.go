package syntax

// constObject reads a constant object: a module's metadata.
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

// constArray = "[" [constant {"," constant}] "]"
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
