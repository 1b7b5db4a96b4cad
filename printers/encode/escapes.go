package encode

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/meshq/kubectl-meshq/printers/safe"
)

// Escapes are the characters that are escaped in strings, in addition to those
// that JSON requires to be escaped.
type Escapes struct {
	plain [utf8.RuneSelf]bool // the ASCII characters that are not escaped
	rune  func(rune) bool     // reports whether another character is escaped; if nil, none is
}

// These are the escapes of each format. All of them escape characters that are
// unsafe on a terminal, even where jq and kubectl don't; the value stays the
// same. ASCIIEscapes escape all characters that are not ASCII, as jq -a does.
// KubectlEscapes also escape <, > and &, as Go's JSON encoder does for HTML.
// YAMLEscapes are for JSON that is read as YAML: they escape the characters
// that YAML forbids.
var (
	JQEscapes           = newEscapes("\x7f", safe.IsUnsafe)
	ASCIIEscapes        = newEscapes("\x7f", func(rune) bool { return true })
	KubectlEscapes      = newEscapes("<>&\x7f", safe.IsUnsafe)
	KubectlASCIIEscapes = newEscapes("<>&\x7f", ASCIIEscapes.rune)
	YAMLEscapes         = newEscapes("\x7f", mustEscapeInYAML)
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

// mustEscapeInYAML reports whether YAML requires that a character is escaped.
// It is called for characters from 0x80 on.
func mustEscapeInYAML(r rune) bool {
	return r < 0xa0 && r != 0x85 || r == 0xfeff || r == 0xfffe || r == 0xffff
}

// EscapeYAML escapes the unsafe characters in YAML whose strings are all in
// double quotes. Unlike JSON, YAML has no surrogate pairs.
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

// Quote appends s to b as a JSON string.
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
