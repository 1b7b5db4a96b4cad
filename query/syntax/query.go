package syntax

// pending is the left side of a query whose right side was not parsed yet. It is a list
// of definitions, a label, or a query with an operator.
type pending struct {
	defs     []*FuncDef
	label    *Label
	left     *Query
	op       Operator
	opSpan   Span
	patterns []*Pattern
	start    int
}

// query parses a query, which is one of
//
//	{def} query
//	label $name "|" query
//	expression "as" patterns "|" query
//	query "," query
//	query "|" query
//
// "," binds more tightly than the others and is left-associative. All others
// extend as far as possible to the right. Left sides are kept on an explicit
// stack, so that a pipe of any length needs no recursion.
func (p *parser) query() *Query {
	var stack []pending
	for {
		if head, ok := p.head(); ok {
			stack = append(stack, head)
			continue
		}
		q := p.expression()
		if p.isWord("as") {
			stack = append(stack, p.binding(q))
			continue
		}
		if n := len(stack); n > 0 && stack[n-1].op == OpComma {
			q = stack[n-1].with(q)
			stack = stack[:n-1]
		}
		if !p.isOp(OpComma) && !p.isOp(OpPipe) {
			return unwind(stack, q)
		}
		stack = append(stack, pending{left: q, op: p.tok.op, opSpan: p.tok.Span})
		p.advance()
	}
}

// unwind combines each left side on the stack with its right side, beginning with the
// last one.
func unwind(stack []pending, q *Query) *Query {
	for i := len(stack) - 1; i >= 0; i-- {
		q = stack[i].with(q)
	}
	return q
}

func (w *pending) with(right *Query) *Query {
	switch {
	case w.defs != nil:
		right.FuncDefs = w.defs
		right.Start = w.start
		return right
	case w.label != nil:
		w.label.Body = right
		span := Span{w.start, right.End}
		return &Query{Span: span, Term: &Term{Span: span, Type: TermLabel, Label: w.label}}
	}
	q := operation(w.left, w.op, w.opSpan, right)
	q.Patterns = w.patterns
	return q
}

func operation(left *Query, op Operator, at Span, right *Query) *Query {
	return &Query{Span: Span{left.Start, right.End}, Left: left, Op: op, OpSpan: at, Right: right}
}

// head parses the definitions or the label before a query. ok is false if there are none.
func (p *parser) head() (head pending, ok bool) {
	head.start = p.tok.Start
	switch {
	case p.isWord("def"):
		head.defs = p.definitions()
	case p.isWord("label"):
		p.advance()
		head.label = &Label{Ident: p.take(tokVariable, "a label's name such as $out")}
		p.pipe()
	default:
		return head, false
	}
	return head, true
}

// binding parses the part "as" patterns "|" that follows an expression.
func (p *parser) binding(left *Query) pending {
	p.advance()
	patterns := p.patterns()
	return pending{left: left, op: OpPipe, patterns: patterns, opSpan: p.pipe()}
}

// pipe reads the operator "|". Any other token is an error.
func (p *parser) pipe() Span {
	at := p.tok.Span
	if !p.acceptOp(OpPipe) {
		p.unexpected(`"|"`)
	}
	return at
}

func (p *parser) definitions() (defs []*FuncDef) {
	for p.isWord("def") {
		defs = append(defs, p.definition())
	}
	return defs
}

// definition parses a function definition: "def" name ["(" parameter {";"
// parameter} ")"] ":" query ";".
func (p *parser) definition() *FuncDef {
	p.enter()
	defer p.leave()
	start := p.tok.Start
	p.advance()
	fd := &FuncDef{}
	if p.tok.kind == tokKeyword {
		p.failAt(p.tok.Span, "%s is a keyword and cannot be a function's name", p.tok.val)
	}
	fd.Name = p.take(tokName, "a function's name")
	if open := p.tok; p.accept('(') {
		for {
			fd.Args = append(fd.Args, p.nameOrVariable("a parameter"))
			if !p.accept(';') {
				break
			}
		}
		if p.isOp(OpComma) {
			p.failAt(p.tok.Span, `unexpected token ",", parameters are separated by ";"`)
		}
		if !p.accept(')') {
			p.unlisted(open, `";" or ")"`)
		}
	}
	p.expect(':')
	fd.Body = p.query()
	if !p.accept(';') {
		p.misplaced(`";" at the end of def ` + fd.Name)
	}
	fd.Span = p.from(start)
	return fd
}

// precedence returns the precedence of an operator in an expression. An operator with a
// higher precedence binds more tightly. The precedence is 0 for an operator, such as "|",
// that an expression can't contain.
func (op Operator) precedence() int {
	switch op {
	case OpAlt:
		return 1
	case OpAssign, OpModify, OpUpdateAdd, OpUpdateSub, OpUpdateMul, OpUpdateDiv, OpUpdateMod, OpUpdateAlt:
		return 2
	case OpOr:
		return 3
	case OpAnd:
		return 4
	case OpEq, OpNe, OpGt, OpLt, OpGe, OpLe:
		return 5
	case OpAdd, OpSub:
		return 6
	case OpMul, OpDiv, OpMod:
		return 7
	}
	return 0
}

// chains reports whether the operator may be used several times in a row, as in a op b op
// c.
func (op Operator) chains() bool {
	prec := op.precedence()
	return prec != OpAssign.precedence() && prec != OpEq.precedence()
}

// expression parses operands with operators of any precedence: binary {"//" binary}. The
// operator // binds least tightly and is right-associative.
func (p *parser) expression() *Query {
	q := p.binary(OpAlt.precedence() + 1)
	var stack []pending
	for p.isOp(OpAlt) {
		stack = append(stack, pending{left: q, op: OpAlt, opSpan: p.tok.Span})
		p.advance()
		q = p.binary(OpAlt.precedence() + 1)
	}
	return unwind(stack, q)
}

// binary parses operands with operators that have at least the given precedence.
func (p *parser) binary(least int) *Query {
	t := p.term()
	q := &Query{Span: t.Span, Term: t}
	for {
		op, at := p.tok.op, p.tok.Span
		if prec := op.precedence(); prec == 0 || prec < least {
			return q
		}
		p.advance()
		q = operation(q, op, at, p.binary(op.precedence()+1))
		if !op.chains() && p.tok.op.precedence() == op.precedence() {
			p.failAt(p.tok.Span, "unexpected token %q, %s does not chain", p.tok.val, op)
		}
	}
}
