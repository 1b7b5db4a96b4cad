package jsontext

import (
	"encoding/json"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/meshq/kubectl-meshq/query/syntax/native"
)

// word returns the value of a word such as true, or of a number. As in jq, a number may
// deviate from JSON, for example by a plus sign or leading zeros; nan and infinity are
// numbers too.
func word(text string) (any, error) {
	switch text[0] {
	case 't':
		if text == "true" {
			return true, nil
		}
		return nil, wrong("Invalid literal")
	case 'f':
		if text == "false" {
			return false, nil
		}
		return nil, wrong("Invalid literal")
	case '\'':
		return nil, wrong(`Invalid string literal; expected ", but got '`)
	case 'n':
		if len(text) > 1 && text[1] == 'u' {
			if text == "null" {
				return nil, nil
			}
			return nil, wrong("Invalid literal")
		}
	}
	if n, ok := native.ParseNumber(text); ok {
		return n, nil
	}
	return nil, wrong("Invalid numeric literal")
}

func isNumber(v any) bool {
	switch v.(type) {
	case int, float64, *big.Int, json.Number:
		return true
	}
	return false
}

// unquote decodes the text between two quotes of a string.
func unquote(raw []byte) (string, error) {
	var b strings.Builder
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		if c < ' ' {
			return "", wrong("Invalid string: control characters from U+0000 through U+001F must be escaped")
		}
		if c != '\\' {
			b.WriteByte(c)
			continue
		}
		if i++; i == len(raw) {
			return "", wrong("Expected escape character at end of string")
		}
		switch c := raw[i]; c {
		case '\\', '"', '/':
			b.WriteByte(c)
		case 'b', 'f', 'n', 'r', 't':
			b.WriteByte("\b\f\n\r\t"[strings.IndexByte("bfnrt", c)])
		case 'u':
			r, n, err := character(raw[i+1:])
			if err != nil {
				return "", err
			}
			b.WriteRune(r)
			i += n
		default:
			return "", wrong("Invalid escape")
		}
	}
	return WellFormed(b.String()), nil
}

// character decodes a \u escape, of which raw begins with the digits. n is the length of
// the escape in raw, in bytes.
func character(raw []byte) (r rune, n int, err error) {
	if len(raw) < 4 {
		return 0, 0, wrong(`Invalid \uXXXX escape`)
	}
	first, err := strconv.ParseUint(string(raw[:4]), 16, 32)
	if err != nil {
		return 0, 0, wrong(`Invalid characters in \uXXXX escape`)
	}
	if first < 0xd800 || 0xdbff < first {
		return rune(first), 4, nil
	}
	if len(raw) >= 10 && raw[4] == '\\' && raw[5] == 'u' {
		if second, err := strconv.ParseUint(string(raw[6:10]), 16, 32); err == nil && 0xdc00 <= second && second <= 0xdfff {
			return rune(0x10000 + (first-0xd800)<<10 + (second - 0xdc00)), 10, nil
		}
	}
	return 0, 0, wrong(`Invalid \uXXXX\uXXXX surrogate pair escape`)
}

// WellFormed replaces invalid UTF-8 as jq does. An encoded character that is incomplete,
// a surrogate, too large, or longer than necessary becomes one replacement character.
// Each byte that can't start a character becomes one too.
func WellFormed(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		if r, n := utf8.DecodeRuneInString(s[i:]); r != utf8.RuneError || n > 1 {
			b.WriteString(s[i : i+n])
			i += n
			continue
		}
		b.WriteRune(utf8.RuneError)
		i += broken(s[i:])
	}
	return b.String()
}

// broken returns the length in bytes of an invalid character at the start of s. The first
// byte determines the length, but only bytes that can continue a character count.
func broken(s string) int {
	n := 1
	switch c := s[0]; {
	case 0xc2 <= c && c < 0xe0:
		n = 2
	case 0xe0 <= c && c < 0xf0:
		n = 3
	case 0xf0 <= c && c < 0xf5:
		n = 4
	}
	if n > len(s) {
		return len(s)
	}
	for i := 1; i < n; i++ {
		if s[i]&0xc0 != 0x80 {
			return i
		}
	}
	return n
}

// Parse returns the single value in a text. An error has the text of jq's error, which
// contains the parsed text.
func Parse(text string) (any, error) {
	p := newParser(strings.NewReader(text), Options{}, min(len(text), 64<<10))
	v, err := p.Next()
	if err == nil {
		if _, e := p.Next(); e == nil {
			err = wrong("Unexpected extra JSON values")
		} else if _, ok := e.(*Error); ok {
			err = e
		}
	} else if _, ok := err.(*Error); !ok {
		err = wrong("Expected JSON value")
	}
	if err != nil {
		return nil, &Error{err.Error() + " (while parsing '" + text + "')"}
	}
	return v, nil
}
