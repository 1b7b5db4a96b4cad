package syntax

// precedence orders the operators of an expression, the loosest first; 0 for
// what is none of them.
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

// chains tells whether a op b op c is allowed.
func (op Operator) chains() bool {
	prec := op.precedence()
	return prec != OpAssign.precedence() && prec != OpEq.precedence()
}

// expression = binary {"//" binary}, from the right
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

// binary reads the operators that bind at least as tightly as least.
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
