package safe

import (
	"bytes"
	"encoding/binary"
	"io"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// IsUnsafe reports whether a character is unsafe to print: it may move a
// terminal's cursor, end a line, change the direction of the text around it, or
// be invisible. These are Unicode's control and format characters and its line
// separators. The exceptions are the joiners and the Arabic number signs, which
// are format characters that some languages need in words.
func IsUnsafe(r rune) bool {
	switch {
	case r < ' ' || r >= 0x7f && r < 0xa0:
		return true
	case r < 0xad, r > 0xad && r < 0x600, r >= 0x3000 && r < 0xfe00: // this case covers most letters, to be fast
		return false
	}
	return unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) && !unicode.In(r, unicode.Join_Control, unicode.Prepended_Concatenation_Mark)
}

// Line returns a text as one line. Unsafe characters, newlines and tabs are
// escaped in the same way as in JSON.
func Line(s string) string {
	if !strings.ContainsFunc(s, IsUnsafe) && utf8.ValidString(s) {
		return s
	}
	var b []byte
	for _, r := range s {
		if IsUnsafe(r) {
			b = AppendEscaped(b, r)
		} else {
			b = utf8.AppendRune(b, r)
		}
	}
	return string(b)
}

// IsLine reports whether a text is valid UTF-8 on one line without unsafe
// characters.
func IsLine(s string) bool { return !strings.ContainsFunc(s, IsUnsafe) && utf8.ValidString(s) }

// A Writer escapes the unsafe characters of a text and writes it to another
// writer. It escapes in the same way as JSON, so the value of a JSON string
// stays the same. It leaves newlines and tabs unchanged, and writes "\r
// " as a newline. A Writer is only the last defence: a printer must escape
// unsafe characters itself, because only the printer can tell which newlines
// belong to its layout.
type Writer struct {
	mu         sync.Mutex
	out        io.Writer
	allowed    Allowed
	incomplete []byte // the beginning of a character or colour sequence that isn't complete yet
}

// An Allowed describes which characters a [Writer] leaves unescaped in addition
// to text.
type Allowed struct {
	Colors bool   // true to allow the escape sequences of colours
	Marks  string // the control characters that separate records
	All    bool   // true to allow all bytes
}

// NewWriter returns a writer that writes to out and escapes everything except
// text.
func NewWriter(out io.Writer) *Writer { return &Writer{out: out} }

// Allow sets which characters are left unescaped from now on.
func (w *Writer) Allow(p Allowed) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.allowed = p
}

// Write writes a text with its unsafe characters escaped. An incomplete
// character or colour sequence at the end is kept until the next Write or
// Flush.
func (w *Writer) Write(text []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	b := text
	if len(w.incomplete) > 0 {
		b = append(w.incomplete, text...)
		w.incomplete = nil
	}
	if !w.allowed.All {
		b = w.escaped(b, false)
	}
	if len(b) == 0 {
		return len(text), nil
	}
	if _, err := w.out.Write(b); err != nil {
		return 0, err
	}
	return len(text), nil
}

// Flush writes the incomplete end of the text that Write has kept.
func (w *Writer) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	b := w.escaped(w.incomplete, true)
	w.incomplete = nil
	if len(b) == 0 {
		return nil
	}
	_, err := w.out.Write(b)
	return err
}

// escaped returns a text with its unsafe characters escaped. If last is false,
// more text may follow, so an incomplete end is kept in w.incomplete.
func (w *Writer) escaped(b []byte, last bool) []byte {
	i := firstSuspicious(b)
	if i == len(b) {
		return b
	}
	out := append(make([]byte, 0, len(b)+64), b[:i]...)
	for i < len(b) {
		n, whole := w.next(b[i:])
		if !whole && !last {
			w.incomplete = bytes.Clone(b[i:])
			break
		}
		r, _ := utf8.DecodeRune(b[i:])
		switch {
		case n > 0 && whole: // this character or colour is allowed
			out = append(out, b[i:i+n]...)
		case r == '\r' && i+1 < len(b) && b[i+1] == '\n':
			n = 1
		case r == utf8.RuneError && !bytes.HasPrefix(b[i:], []byte("\ufffd")):
			out, n = append(out, "\ufffd"...), 1
		default:
			out, n = AppendEscaped(out, r), utf8.RuneLen(r)
		}
		i += n
		plain := firstSuspicious(b[i:])
		out, i = append(out, b[i:i+plain]...), i+plain
	}
	return out
}

// firstSuspicious returns the index of the first byte that may begin something
// unsafe. If there is none, it returns the length of the text.
func firstSuspicious(b []byte) int {
	for i := 0; i < len(b); {
		for i+8 <= len(b) && allPrintable(binary.LittleEndian.Uint64(b[i:])) {
			i += 8
		}
		if i == len(b) {
			break
		}
		c := b[i]
		if c >= ' ' && c < 0x7f || c == '\n' || c == '\t' {
			i++
			continue
		}
		r, n := utf8.DecodeRune(b[i:])
		if n == 1 || IsUnsafe(r) {
			return i
		}
		i += n
	}
	return len(b)
}

// allPrintable reports whether eight bytes are all printable ASCII. If a byte is
// over 0x7e, its high bit is set or becomes set when 1 is added. If a byte is
// less than a space, its high bit becomes set when a space is subtracted.
func allPrintable(eight uint64) bool {
	const each, high = 0x0101010101010101, 0x8080808080808080
	return (eight|(eight+each)|(eight-' '*each))&high == 0
}

// next returns the length of the character or colour sequence at the beginning
// of a text if it is allowed, and 0 otherwise. whole is false if the text ends
// too early to decide.
func (w *Writer) next(b []byte) (n int, whole bool) {
	switch c := b[0]; {
	case c == '\x1b' && w.allowed.Colors:
		return colorLength(b)
	case c == '\r' && len(b) == 1:
		return 0, false
	case c >= utf8.RuneSelf && !utf8.FullRune(b):
		return 0, false
	case c < utf8.RuneSelf && strings.IndexByte(w.allowed.Marks, c) >= 0:
		return 1, true
	}
	r, n := utf8.DecodeRune(b)
	if IsUnsafe(r) || r == utf8.RuneError && n == 1 {
		return 0, true
	}
	return n, true
}

// colorLength returns the length of the colour sequence at the beginning of a
// text, or 0 if there is none. It accepts the sequence that clears the rest of
// the line too, because some programs write it after a colour.
func colorLength(b []byte) (n int, whole bool) {
	const longest = 64
	for i, c := range b[:min(len(b), longest)] {
		switch {
		case i < 2:
			if c != "\x1b["[i] {
				return 0, true
			}
		case c == 'm', c == 'K' && (i == 2 || string(b[2:i]) == "0"):
			return i + 1, true
		case (c < '0' || c > '9') && c != ';':
			return 0, true
		}
	}
	return 0, len(b) >= longest
}

// AppendEscaped appends a character to b, escaped as in a JSON string. The
// escape is a backslash and a letter if JSON defines one, and \uXXXX otherwise.
// A character from 0x10000 on has two of the latter.
func AppendEscaped(b []byte, r rune) []byte {
	switch r {
	case '"', '\\':
		return append(b, '\\', byte(r))
	case '\b':
		return append(b, `\b`...)
	case '\f':
		return append(b, `\f`...)
	case '\n':
		return append(b, `\n`...)
	case '\r':
		return append(b, `\r`...)
	case '\t':
		return append(b, `\t`...)
	}
	if r >= 0x10000 {
		r -= 0x10000
		b = appendHex(b, 0xd800|r>>10)
		r = 0xdc00 | r&0x3ff
	}
	return appendHex(b, r)
}

func appendHex(b []byte, r rune) []byte {
	const hex = "0123456789abcdef"
	return append(b, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
}
