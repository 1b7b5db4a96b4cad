package encode

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/meshq/kubectl-meshq/printers/safe"
)

// Escapes are what a string's characters look like in JSON, other than the
// ones that every JSON has to escape.
type Escapes struct {
	plain [utf8.RuneSelf]bool // the ASCII characters that stand for themselves
	rune  func(rune) bool     // the other characters that are escaped; nil: none
}

// jq and kubectl print some characters as they are that are unsafe on a
// terminal: here all strings escape them, which is the same value. With -a,
// strings escape whatever is not ASCII. kubectl's are Go's: safe in HTML and
// JavaScript. What is to be read as YAML has no character that YAML refuses.
var (
	JQEscapes           = newEscapes("\x7f", safe.IsUnsafe)
	ASCIIEscapes        = newEscapes("\x7f", func(rune) bool { return true })
	KubectlEscapes      = newEscapes("<>&\x7f", safe.IsUnsafe)
	KubectlASCIIEscapes = newEscapes("<>&\x7f", ASCIIEscapes.rune)
	YAMLEscapes         = newEscapes("\x7f", unreadable)
)

func newEscapes(extra string, r func(rune) bool) *Escapes {
	e := &Escapes{rune: r}
	for c := range e.plain {
		e.plain[c] = c >= ' ' && c != '"' && c != '\\'
	}
	for _, c := range extra {
		e.plain[c] = false
	}
	return e
}

// unreadable are the characters from 0x80 on that YAML takes only escaped.
func unreadable(r rune) bool {
	return r < 0xa0 && r != 0x85 || r == 0xfeff || r == 0xfffe || r == 0xffff
}

// EscapeYAML writes what is unsafe in a text of YAML whose every string is
// in double quotes; YAML has no pairs of surrogates.
func EscapeYAML(text string) string {
	own := func(r rune) bool { return safe.IsUnsafe(r) && r != '\n' && r != '\t' }
	if !strings.ContainsFunc(text, own) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		switch {
		case !own(r):
			b.WriteRune(r)
		case r >= 0x10000:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// Quote appends s as a JSON string.
func (e *Escapes) Quote(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if !e.plain[c] {
				b = safe.AppendEscaped(append(b, s[start:i]...), rune(c))
				start = i + 1
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 || e.rune != nil && e.rune(r) {
			b = safe.AppendEscaped(append(b, s[start:i]...), r)
			start = i + size
		}
		i += size
	}
	return append(append(b, s[start:]...), '"')
}
