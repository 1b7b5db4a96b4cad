package redact

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// unescaped returns the decoded text of a string. It is valid until the next call.
func (r *Reader) unescaped(raw []byte) ([]byte, bool) {
	text, _, ok := unescape(r.text0[:0], raw, false)
	r.text0 = text
	return text, ok
}

// unescape appends the decoded text of a string with escapes. If more is true, the
// string continues after s. Then rest is an incomplete escape or character at the
// end of s.
func unescape(to, s []byte, more bool) (text, rest []byte, ok bool) {
	for {
		back := bytes.IndexByte(s, '\\')
		if back < 0 {
			return append(to, s...), nil, true
		}
		to, s = append(to, s[:back]...), s[back:]
		if len(s) < 2 {
			return to, s, more
		}
		if s[1] != 'u' {
			c := bytes.IndexByte([]byte(`"\/bfnrt`), s[1])
			if c < 0 {
				return to, nil, false
			}
			to, s = append(to, "\"\\/\b\f\n\r\t"[c]), s[2:]
			continue
		}
		c, ok := unit(s)
		if !ok {
			return to, s, more && len(s) < 6
		}
		size := 6
		if utf16.IsSurrogate(c) {
			second, ok := unit(s[6:])
			if !ok && more && len(s) < 12 {
				return to, s, true
			}
			if both := utf16.DecodeRune(c, second); ok && both != utf8.RuneError {
				c, size = both, 12
			} else {
				c = utf8.RuneError
			}
		}
		to, s = utf8.AppendRune(to, c), s[size:]
	}
}

// unit decodes one UTF-16 unit in the form \uXXXX.
func unit(s []byte) (rune, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(s[2:6]), 16, 16)
	return rune(n), err == nil
}
