package syntax

// number goes over a number literal; point says that it has its decimal point
// already. A name that touches the number makes it a malformed one.
func (l *lexer) number(start int, point bool) token {
	for {
		switch c := l.at(l.pos); {
		case isDigit(c):
			l.pos++
		case c == '.':
			l.pos++
			if point {
				return l.token(tokBadNumber, start)
			}
			point = true
		case c == 'e' || c == 'E':
			l.pos++
			return l.exponent(start)
		case isNameStart(c):
			l.pos++
			return l.token(tokBadNumber, start)
		default:
			return l.token(tokNumber, start)
		}
	}
}

// exponent goes over what follows the e of a number.
func (l *lexer) exponent(start int) token {
	if c := l.at(l.pos); c == '-' || c == '+' {
		l.pos++
	}
	digits := l.pos
	for isDigit(l.at(l.pos)) {
		l.pos++
	}
	switch {
	case isNameStart(l.at(l.pos)):
		l.pos++
		return l.token(tokBadNumber, start)
	case digits == l.pos:
		return l.token(tokBadNumber, start)
	}
	return l.token(tokNumber, start)
}
