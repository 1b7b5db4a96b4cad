package decode

import (
	"bytes"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// text reads the string at the current position and returns its bytes with
// escapes decoded. They are valid until the next call of text or fill.
func (d *decoder) text() ([]byte, error) {
	d.mark = d.p
	d.p++
	plain, err := d.skipString()
	if err != nil {
		return nil, err
	}
	raw := d.mem[d.mark+1 : d.p-1]
	if int64(len(raw)) > d.limits.String {
		return nil, &LimitError{Offset: d.base + int64(d.mark), What: "string", Limit: d.limits.String}
	}
	d.mark = -1
	if plain || bytes.IndexByte(raw, '\\') < 0 && utf8.Valid(raw) {
		return raw, nil
	}
	d.clean = unescape(d.clean[:0], raw)
	return d.clean, nil
}

// skipString moves from the byte after the opening quote to the byte after the
// closing one. plain is true if the string is ASCII without escapes.
func (w *window) skipString() (plain bool, err error) {
	b, p := w.mem, w.p
	var wide uint64 // all bytes combined by OR; if a byte isn't ASCII, the top bit is set
	plain = true
	for {
		x := word(b, p)
		stop := stops(x)
		if stop == 0 {
			wide |= x & tops
			p += 8
			continue
		}
		wide |= x & tops & ((stop & -stop) - 1)
		p += bits.TrailingZeros64(stop) >> 3
		w.p = p
		switch {
		case b[p] == '"':
			w.p++
			return plain && wide == 0, nil
		case b[p] == '\\':
			plain = false
			if err := w.escape(); err != nil {
				return false, err
			}
		case p < w.n:
			return false, w.fail(p, "no control character in a string")
		case !w.fill():
			return false, w.end()
		}
		b, p = w.mem, w.p
	}
}

// stops checks eight bytes of a string at once. It sets the top bit of each byte
// that ends plain text ('"', '\\' or below ' '). Only the lowest of these bits is
// reliable; higher ones may be false positives.
func stops(x uint64) uint64 {
	q, s := x^(ones*'"'), x^(ones*'\\')
	return (((x - ones*' ') &^ x) | ((q - ones) &^ q) | ((s - ones) &^ s)) & tops
}

// escape skips the escape sequence at the current position.
func (w *window) escape() error {
	if err := w.ahead(2); err != nil {
		return err
	}
	switch w.mem[w.p+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		w.p += 2
		return nil
	case 'u':
	default:
		return w.fail(w.p+1, "an escape")
	}
	for i := 2; i < 6; i++ {
		if err := w.ahead(i + 1); err != nil {
			return err
		}
		if !isHex(w.mem[w.p+i]) {
			return w.fail(w.p+i, "a hexadecimal digit")
		}
	}
	w.p += 6
	return nil
}

// ahead fills the window until it contains n bytes after the current position.
func (w *window) ahead(n int) error {
	for w.n-w.p < n {
		if !w.fill() {
			return w.end()
		}
	}
	return nil
}

func isHex(c byte) bool { return c-'0' < 10 || c|0x20-'a' < 6 }

// unescape appends s to dst with its escapes decoded. Invalid UTF-8 and lone
// surrogates become U+FFFD, as in encoding/json.
func unescape(dst, s []byte) []byte {
	for len(s) > 0 {
		switch c := s[0]; {
		case c == '\\' && s[1] == 'u':
			r, size := escapedRune(s)
			dst = utf8.AppendRune(dst, r)
			s = s[size:]
		case c == '\\':
			dst = append(dst, escapedByte(s[1]))
			s = s[2:]
		case c < utf8.RuneSelf:
			dst = append(dst, c)
			s = s[1:]
		default:
			r, size := utf8.DecodeRune(s)
			dst = utf8.AppendRune(dst, r)
			s = s[size:]
		}
	}
	return dst
}

func escapedByte(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return c
}

// escapedRune decodes an escape of the form \uXXXX. For a surrogate it also reads
// the second half.
func escapedRune(s []byte) (r rune, size int) {
	r = hex(s[2:6])
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	if len(s) >= 12 && s[6] == '\\' && s[7] == 'u' {
		if both := utf16.DecodeRune(r, hex(s[8:12])); both != utf8.RuneError {
			return both, 12
		}
	}
	return utf8.RuneError, 6
}

func hex(s []byte) (r rune) {
	for _, c := range s {
		if c > '9' {
			c = c | 0x20 - 'a' + 10 + '0'
		}
		r = r<<4 | rune(c-'0')
	}
	return r
}
