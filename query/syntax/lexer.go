package syntax

import (
	"strings"
	"unicode/utf8"
)

// lexer splits the source into tokens. The tokens are exactly the same as those of gojq's
// lexer.
type lexer struct {
	src      string
	pos      int
	inString bool // whether the next token is a part of a string with interpolations
}

// next returns the next token. At the end of the source it returns tokEnd, however often
// it is called.
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

// token returns a token from the offset start to the current offset.
func (l *lexer) token(k tokenKind, start int) token {
	return token{Span: Span{start, l.pos}, kind: k, val: l.src[start:l.pos]}
}

// at returns the byte at an offset. It returns 0 for an offset after the end of
// the source.
func (l *lexer) at(i int) byte {
	if i < len(l.src) {
		return l.src[i]
	}
	return 0
}

// skip skips white space and comments. It returns false at the end of the source. As in
// gojq, a NUL byte in a comment counts as the end of the source.
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

// comment skips to the end of the line. If the last character of the line is a backslash,
// the comment continues on the next line. A backslash before that backslash makes it an
// ordinary character.
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

// word reads a name, a name with a module, or a keyword.
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

// dot reads a token that starts with a dot: a field, a number, ".." or ".".
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

// symbol reads an operator, the longest one possible, or else a single character.
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
	if c == 0 { // gojq's lexer treats this byte as the end of the source
		return l.token(tokEnd, start)
	}
	t := l.token(tokChar, start)
	t.ch = c
	return t
}

// name moves to the end of a name.
func (l *lexer) name() {
	for isNamePart(l.at(l.pos)) {
		l.pos++
	}
}

// qualifiedName moves to the end of a name such as name or module::name. It returns true
// if there is a module.
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

// number reads a number literal. point is true if the decimal point was already read. A
// number that is directly followed by a letter is invalid.
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

// exponent reads the exponent of a number, after the letter e.
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

// piece reads a whole string literal, or the next part of a string with interpolations.
// The tokens of such a string are tokStringStart, any sequence of tokString and
// tokStringQuery, and tokStringEnd. The parser must set inString again after each
// interpolated query.
func (l *lexer) piece(start int) token {
	for i := l.pos; i < len(l.src); i++ {
		switch l.src[i] {
		case '\\':
			if i++; i >= len(l.src) {
				continue
			}
			if l.src[i] == '(' {
				return l.interpolation(start, i)
			}
			n, ok := l.escape(i)
			if !ok {
				l.pos = i + n
				return l.token(tokBadEscape, i-1)
			}
			i += n - 1
		case '"':
			switch {
			case !l.inString:
				return l.decoded(start, start+1, i, i+1)
			case i > l.pos:
				return l.decoded(start, start, i, i)
			}
			l.inString = false
			l.pos = i + 1
			return l.token(tokStringEnd, start)
		}
	}
	l.pos = len(l.src)
	return l.token(tokOpenString, start)
}

// interpolation returns the token for the start of an interpolation, \(. i is the offset
// of the bracket.
func (l *lexer) interpolation(start, i int) token {
	switch {
	case !l.inString:
		l.inString = true // the next token begins directly after the quote
		return l.token(tokStringStart, start)
	case i == l.pos+1:
		l.inString = false
		l.pos = i + 1
		return l.token(tokStringQuery, start)
	}
	return l.decoded(start, start, i-1, i-1)
}

// decoded returns a token for the string literal in src[from:to], and moves the lexer to
// the offset next.
func (l *lexer) decoded(start, from, to, next int) token {
	l.pos = next
	return token{Span: Span{start, next}, kind: tokString, val: unescape(l.src[from:to])}
}

// escape returns the length n of an escape sequence, without the backslash. i is the
// offset after the backslash. If the sequence is invalid, ok is false and n is the length
// up to and including the first invalid byte.
func (l *lexer) escape(i int) (n int, ok bool) {
	switch l.src[i] {
	case '"', '/', '\\', 'b', 'f', 'n', 'r', 't':
		return 1, true
	case 'u':
		for n = 1; n <= 4; n++ {
			if !isHex(l.at(i + n)) {
				return n, false
			}
		}
		return 5, true
	}
	return 1, false
}

func isHex(c byte) bool { return isDigit(c) || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F' }

// unescape decodes the text between two quotes, as encoding/json does. Invalid UTF-8 and
// surrogates without a partner become U+FFFD.
func unescape(s string) string {
	if !strings.ContainsRune(s, '\\') && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); {
		if s[i] != '\\' {
			r, n := utf8.DecodeRuneInString(s[i:])
			b.WriteRune(r)
			i += n
			continue
		}
		r, n := escaped(s[i:])
		b.WriteRune(r)
		i += n
	}
	return b.String()
}

// escaped decodes the escape sequence at the start of s. n is the length of the sequence.
func escaped(s string) (r rune, n int) {
	switch s[1] {
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		return surrogates(s)
	}
	return rune(s[1]), 2
}

// surrogates decodes an escape \uXXXX, or a surrogate pair of two such escapes.
func surrogates(s string) (r rune, n int) {
	r = hexadecimal(s[2:6])
	if r < 0xd800 || r >= 0xe000 {
		return r, 6
	}
	if r < 0xdc00 && len(s) >= 12 && s[6] == '\\' && s[7] == 'u' {
		if low := hexadecimal(s[8:12]); 0xdc00 <= low && low < 0xe000 {
			return (r-0xd800)<<10 | (low - 0xdc00) + 0x10000, 12
		}
	}
	return utf8.RuneError, 6
}

func hexadecimal(s string) (r rune) {
	for _, c := range []byte(s) {
		switch {
		case c >= 'a':
			c -= 'a' - 10
		case c >= 'A':
			c -= 'A' - 10
		default:
			c -= '0'
		}
		r = r<<4 | rune(c)
	}
	return r
}
