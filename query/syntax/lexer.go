package syntax

import (
	"strings"
	"unicode/utf8"
)

// lexer cuts the source into tokens, byte for byte as gojq does.
type lexer struct {
	src      string
	pos      int
	inString bool // what comes next is a piece of an interpolated string
}

// next gives the next token, again and again tokEnd when there is none.
func (l *lexer) next() token {
	if l.inString {
		if l.pos >= len(l.src) {
			return l.token(tokEnd, l.pos)
		}
		return l.piece(l.pos)
	}
	if !l.skip() {
		return l.token(tokEnd, l.pos)
	}
	start := l.pos
	c := l.src[start]
	switch {
	case isNameStart(c):
		return l.word(start)
	case isDigit(c):
		return l.number(start, false)
	case c == '"':
		l.pos++
		return l.piece(start)
	case c == '.':
		return l.dot(start)
	case c == '$' && isNameStart(l.at(start+1)):
		l.pos++
		if l.qualifiedName() {
			return l.token(tokModuleVariable, start)
		}
		return l.token(tokVariable, start)
	case c == '@' && isNamePart(l.at(start+1)):
		l.pos++
		l.name()
		return l.token(tokFormat, start)
	}
	return l.symbol(start)
}

// token makes a token of what stands between start and the current place.
func (l *lexer) token(k tokenKind, start int) token {
	return token{Span: Span{start, l.pos}, kind: k, val: l.src[start:l.pos]}
}

// at gives a byte of the source, 0 behind its end.
func (l *lexer) at(i int) byte {
	if i < len(l.src) {
		return l.src[i]
	}
	return 0
}

// skip goes over white space and comments. It is false at the end, which is
// also a NUL in a comment.
func (l *lexer) skip() bool {
	for l.pos < len(l.src) {
		switch l.src[l.pos] {
		case ' ', '\t', '\r', '\n':
			l.pos++
		case '#':
			if !l.comment() {
				return false
			}
		default:
			return true
		}
	}
	return false
}

// comment goes to the end of the line. A backslash hides itself or the end of
// the line from the comment.
func (l *lexer) comment() bool {
	for {
		switch l.at(l.pos) {
		case 0:
			return false
		case '\n', '\r':
			return true
		case '\\':
			l.pos++
			switch l.at(l.pos) {
			case '\\', '\n':
				l.pos++
			case '\r':
				if l.pos++; l.at(l.pos) == '\n' {
					l.pos++
				}
			}
		default:
			l.pos++
		}
	}
}

// word is a name, a module's name, or a keyword.
func (l *lexer) word(start int) token {
	if l.qualifiedName() {
		return l.token(tokModuleName, start)
	}
	t := l.token(tokName, start)
	if isKeyword(t.val) {
		t.kind = tokKeyword
		switch t.val {
		case "and":
			t.op = OpAnd
		case "or":
			t.op = OpOr
		}
	}
	return t
}

// dot is a field, a number that begins with its point, "..", or ".".
func (l *lexer) dot(start int) token {
	l.pos++
	switch c := l.at(l.pos); {
	case c == '.':
		l.pos++
		return l.token(tokRecurse, start)
	case isNameStart(c):
		l.name()
		t := l.token(tokField, start)
		t.val = t.val[1:]
		return t
	case isDigit(c):
		return l.number(start, true)
	}
	t := l.token(tokChar, start)
	t.ch = '.'
	return t
}

// symbol is the longest operator that stands here, or a single character.
func (l *lexer) symbol(start int) token {
	var op Operator
	for o := OpPipe; o <= OpUpdateAlt; o++ {
		if s := o.String(); strings.HasPrefix(l.src[start:], s) && (op == 0 || len(s) > len(op.String())) {
			op = o
		}
	}
	if op != 0 {
		l.pos += len(op.String())
		t := l.token(tokOperator, start)
		t.op = op
		return t
	}
	c := l.src[start]
	if c >= utf8.RuneSelf {
		_, n := utf8.DecodeRuneInString(l.src[start:])
		l.pos += n
		return l.token(tokChar, start)
	}
	l.pos++
	if c == 0 { // gojq's tables take this byte for the end
		return l.token(tokEnd, start)
	}
	t := l.token(tokChar, start)
	t.ch = c
	return t
}

// name goes to the end of a name.
func (l *lexer) name() {
	for isNamePart(l.at(l.pos)) {
		l.pos++
	}
}

// qualifiedName goes to the end of name or module::name, and tells which.
func (l *lexer) qualifiedName() bool {
	l.name()
	if l.at(l.pos) != ':' || l.at(l.pos+1) != ':' || !isNameStart(l.at(l.pos+2)) {
		return false
	}
	l.pos += 3
	l.name()
	return true
}

func isNameStart(c byte) bool { return c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
func isDigit(c byte) bool     { return '0' <= c && c <= '9' }
func isNamePart(c byte) bool  { return isNameStart(c) || isDigit(c) }
