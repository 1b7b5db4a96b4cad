package syntax

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// windowWidth is how many columns of a source line an error shows.
const windowWidth = 76

// window gives the part of the line where at begins, and the line to print
// under it.
func window(src string, at Span) (text, carets string) {
	start := min(max(at.Start, 0), len(src))
	from := strings.LastIndexByte(src[:start], '\n') + 1
	to := len(src)
	if i := strings.IndexByte(src[start:], '\n'); i >= 0 {
		to = start + i
	}
	if to > start && src[to-1] == '\r' {
		to--
	}
	lo, hi := cut(src, from, to, start)
	var line, under strings.Builder
	if lo > from {
		line.WriteString("…")
		under.WriteByte(' ')
	}
	marked := false
	for i := lo; i < hi; {
		r, n := utf8.DecodeRuneInString(src[i:hi])
		cell, width := cellOf(r, n)
		line.WriteString(cell)
		mark := " "
		if start <= i && i < at.End {
			mark, marked = "^", marked || width > 0
		}
		if i < at.End || i < start {
			under.WriteString(strings.Repeat(mark, width))
		}
		i += n
	}
	if hi < to {
		line.WriteString("…")
	}
	if !marked {
		under.WriteByte('^')
	}
	return line.String(), under.String()
}

// cut gives the part of the line from..to that fits the window: what stands
// before the place up to half of it, then what follows, then more of what
// stands before.
func cut(src string, from, to, place int) (lo, hi int) {
	lo, used := widen(src, from, place, windowWidth/2)
	hi = place
	for hi < to {
		r, n := utf8.DecodeRuneInString(src[hi:to])
		_, width := cellOf(r, n)
		if used+width > windowWidth {
			return lo, hi
		}
		used += width
		hi += n
	}
	lo, _ = widen(src, from, lo, windowWidth-used)
	return lo, hi
}

// widen goes back from lo, not behind from, as far as columns allow.
func widen(src string, from, lo, columns int) (int, int) {
	used := 0
	for lo > from {
		r, n := utf8.DecodeLastRuneInString(src[from:lo])
		_, width := cellOf(r, n)
		if used+width > columns {
			break
		}
		used += width
		lo -= n
	}
	return lo, used
}

// cellOf is what a terminal is given for a character of n bytes, and how many
// columns it takes.
func cellOf(r rune, n int) (cell string, width int) {
	switch {
	case r == '\t':
		return "    ", 4
	case r >= ' ' && r < 0x7f:
		return string(r), 1
	case r == utf8.RuneError && n == 1, unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp):
		return "\ufffd", 1
	case unicode.In(r, unicode.Mn, unicode.Me):
		return string(r), 0
	case isWide(r):
		return string(r), 2
	}
	return string(r), 1
}
