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

// IsUnsafe reports whether a character may do something where it is shown or
// read: move a terminal's cursor, end a line, change the direction of the text
// around it or hide in it. These are Unicode's control and format characters
// and its line separators. The joiners and the Arabic number signs are format
// characters too, but they are part of how words are written.
func IsUnsafe(r rune) bool {
	switch {
	case r < ' ' || r >= 0x7f && r < 0xa0:
		return true
	case r < 0xad, r > 0xad && r < 0x600, r >= 0x3000 && r < 0xfe00: // most of what is written
		return false
	}
	return unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) && !unicode.In(r, unicode.Join_Control, unicode.Prepended_Concatenation_Mark)
}

// Line gives a text on one line, without anything unsafe in it: such
// characters, newlines and tabs too, are written as JSON escapes them.
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

// IsLine reports whether a text is on one line and has nothing unsafe in it.
func IsLine(s string) bool { return !strings.ContainsFunc(s, IsUnsafe) && utf8.ValidString(s) }

// A Writer writes text to where people and programs read it, and escapes
// what is unsafe there, as JSON does: inside a JSON string the value stays the
// same. Newlines and tabs pass, "\r\n" is a newline. It is the last of several
// hands: what comes to it was made legible where it was printed, since only
// the printer knows which newlines are its own.
type Writer struct {
	mu     sync.Mutex
	out    io.Writer
	passes Allowed
	held   []byte // the beginning of a character or a colour whose end has not come yet
}

// Allowed says what a [Writer] lets through beside text.
type Allowed struct {
	Colors bool   // the escape sequences of colours
	Marks  string // control characters that separate records
	All    bool   // every byte, as it is
}

// NewWriter gives a writer that lets text through to out.
func NewWriter(out io.Writer) *Writer { return &Writer{out: out} }

// Allow sets what else is let through from here on.
func (w *Writer) Allow(p Allowed) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.passes = p
}

// Write writes what is safe of a text, and the rest escaped.
func (w *Writer) Write(text []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	b := text
	if len(w.held) > 0 {
		b = append(w.held, text...)
		w.held = nil
	}
	if !w.passes.All {
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

// Flush writes what was held back.
func (w *Writer) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	b := w.escaped(w.held, true)
	w.held = nil
	if len(b) == 0 {
		return nil
	}
	_, err := w.out.Write(b)
	return err
}

// escaped gives the text without what is unsafe in it. Unless it is the last
// of all, an end that may go on is held back.
func (w *Writer) escaped(b []byte, last bool) []byte {
	i := suspicious(b)
	if i == len(b) {
		return b
	}
	out := append(make([]byte, 0, len(b)+64), b[:i]...)
	for i < len(b) {
		n, whole := w.next(b[i:])
		if !whole && !last {
			w.held = bytes.Clone(b[i:])
			break
		}
		r, _ := utf8.DecodeRune(b[i:])
		switch {
		case n > 0 && whole: // lets through
			out = append(out, b[i:i+n]...)
		case r == '\r' && i+1 < len(b) && b[i+1] == '\n':
			n = 1
		case r == utf8.RuneError && !bytes.HasPrefix(b[i:], []byte("\ufffd")):
			out, n = append(out, "\ufffd"...), 1
		default:
			out, n = AppendEscaped(out, r), utf8.RuneLen(r)
		}
		i += n
		plain := suspicious(b[i:])
		out, i = append(out, b[i:i+plain]...), i+plain
	}
	return out
}

// suspicious gives the place of the first byte that may begin something
// unsafe, or the length of the text.
func suspicious(b []byte) int {
	for i := 0; i < len(b); {
		for i+8 <= len(b) && printable(binary.LittleEndian.Uint64(b[i:])) {
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

// printable tells whether eight bytes are all printable ASCII: none is over
// 0x7e (its high bit, or that of one more, is set) or under a space (to take a
// space away borrows into its high bit).
func printable(eight uint64) bool {
	const each, high = 0x0101010101010101, 0x8080808080808080
	return (eight|(eight+each)|(eight-' '*each))&high == 0
}

// next gives the length of what a text begins with if that is let through,
// else 0. It is not whole where the text ends too early to tell.
func (w *Writer) next(b []byte) (n int, whole bool) {
	switch c := b[0]; {
	case c == '\x1b' && w.passes.Colors:
		return color(b)
	case c == '\r' && len(b) == 1:
		return 0, false
	case c >= utf8.RuneSelf && !utf8.FullRune(b):
		return 0, false
	case c < utf8.RuneSelf && strings.IndexByte(w.passes.Marks, c) >= 0:
		return 1, true
	}
	r, n := utf8.DecodeRune(b)
	if IsUnsafe(r) || r == utf8.RuneError && n == 1 {
		return 0, true
	}
	return n, true
}

// color gives the length of the colour that a text begins with; 0: of none.
// Some programs clear the line behind a colour: that passes too.
func color(b []byte) (n int, whole bool) {
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

// AppendEscaped appends a character to b as JSON escapes it in a string: a
// backslash and a letter where JSON has one, else \uXXXX, twice for a character
// from 0x10000 on.
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
