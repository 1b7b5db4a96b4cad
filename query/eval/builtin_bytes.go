package eval

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

// byteBuiltins decode texts into bytes, which are texts again.
func byteBuiltins() map[string]builtin {
	return map[string]builtin{
		"_tobase64d/0": decoded(fromBase64),
		"_tourid/0":    decoded(fromURI),
	}
}

// decoded makes a function of the text of a value. From says what is wrong with
// a text that it can't decode.
func decoded(from func(text string) (out, wrong string)) builtin {
	return value(func(m *mach, v any, _ []any) (any, error) {
		v, err := m.force(v)
		if err != nil {
			return nil, err
		}
		text, ok := v.(string)
		if !ok {
			if text, err = m.marshal(v); err != nil {
				return nil, err
			}
		}
		if err := m.alloc(3 * len(text)); err != nil {
			return nil, err
		}
		out, wrong := from(text)
		if wrong != "" {
			return nil, cannot(text, wrong)
		}
		return out, nil
	})
}

// fromBase64 decodes up to the first "=", however many there should be.
func fromBase64(text string) (out, wrong string) {
	text, _, _ = strings.Cut(text, "=")
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	if strings.Trim(text, letters) != "" {
		return "", "is not valid base64 data"
	}
	bytes, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil {
		return "", "trailing base64 byte found"
	}
	return wellFormed(string(bytes)), ""
}

// fromURI decodes %XX; what comes of it has to be UTF-8.
func fromURI(text string) (out, wrong string) {
	const says = "is not a valid uri encoding"
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '%' {
			b.WriteByte(text[i])
			continue
		}
		if i+2 >= len(text) {
			return "", says
		}
		high, ok1 := hexadecimal(text[i+1])
		low, ok2 := hexadecimal(text[i+2])
		if !ok1 || !ok2 {
			return "", says
		}
		b.WriteByte(high<<4 | low)
		i += 2
	}
	if !utf8.ValidString(b.String()) {
		return "", says
	}
	return b.String(), ""
}

func hexadecimal(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10, true
	}
	return 0, false
}

// wellFormed replaces what is not UTF-8 as jq does: the bytes of a character
// that is cut off, surrogate, too large or longer than it need be are one
// replacement, and so is each byte that begins none.
func wellFormed(s string) string {
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

// broken gives the length of what its first byte says is a character, as far
// as it could be one.
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
