package syntax

import (
	"strings"
	"unicode/utf8"
)

// piece goes over a whole string literal, or over one piece of an
// interpolated one. An interpolated string comes as tokStringStart, then
// tokString and tokStringQuery as they stand, then tokStringEnd; the parser
// sets inString again behind each query.
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

// interpolation is what a piece is when it meets "\(", whose bracket is at i.
func (l *lexer) interpolation(start, i int) token {
	switch {
	case !l.inString:
		l.inString = true // the source goes on just behind the quote
		return l.token(tokStringStart, start)
	case i == l.pos+1:
		l.inString = false
		l.pos = i + 1
		return l.token(tokStringQuery, start)
	}
	return l.decoded(start, start, i-1, i-1)
}

// decoded is the string written from..to; the source goes on at next.
func (l *lexer) decoded(start, from, to, next int) token {
	l.pos = next
	return token{Span: Span{start, next}, kind: tokString, val: unescape(l.src[from:to])}
}

// escape gives the length of the escape whose letter is at i, without its
// backslash; not ok, how far it was well formed and the first wrong byte.
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

// unescape decodes what stands between two quotes, as encoding/json does:
// invalid UTF-8 and half surrogates become U+FFFD.
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

// escaped gives the character that the escape at the head of s stands for,
// and how many bytes it takes.
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

// surrogates reads \uXXXX, or two of them that make one character.
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
