package syntax

import (
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"
)

// windowWidth is the maximum number of columns of a source line that an error message
// shows.
const windowWidth = 76

// window returns the part of a source line around a position, and the line of
// carets to print under it.
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

// cut returns the offsets lo and hi of the part of a line that an error message shows.
// The part includes up to half of windowWidth before the error's position, and the text
// after the position. If the text after the position is short, more text before it is
// included.
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

// widen moves the offset lo towards from, by at most the given number of columns. It
// returns the new offset and the number of columns that it moved.
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

// cellOf returns the text to print for a character, and how many columns that text is
// wide.
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

// wide lists the ranges of characters that terminals print two columns wide. These
// are the characters with East Asian Width W or F in the Unicode Character
// Database, unassigned characters between them, and all of the newest block of
// emoji.
var wide = [...]struct{ first, last rune }{
	{0x1100, 0x115f}, {0x231a, 0x231b}, {0x2329, 0x232a}, {0x23e9, 0x23ec}, {0x23f0, 0x23f0}, {0x23f3, 0x23f3},
	{0x25fd, 0x25fe}, {0x2614, 0x2615}, {0x2648, 0x2653}, {0x267f, 0x267f}, {0x2693, 0x2693}, {0x26a1, 0x26a1},
	{0x26aa, 0x26ab}, {0x26bd, 0x26be}, {0x26c4, 0x26c5}, {0x26ce, 0x26ce}, {0x26d4, 0x26d4}, {0x26ea, 0x26ea},
	{0x26f2, 0x26f3}, {0x26f5, 0x26f5}, {0x26fa, 0x26fa}, {0x26fd, 0x26fd}, {0x2705, 0x2705}, {0x270a, 0x270b},
	{0x2728, 0x2728}, {0x274c, 0x274c}, {0x274e, 0x274e}, {0x2753, 0x2755}, {0x2757, 0x2757}, {0x2795, 0x2797},
	{0x27b0, 0x27b0}, {0x27bf, 0x27bf}, {0x2b1b, 0x2b1c}, {0x2b50, 0x2b50}, {0x2b55, 0x2b55}, {0x2e80, 0x303e},
	{0x3041, 0x3247}, {0x3250, 0x4dbf}, {0x4e00, 0xa4c6}, {0xa960, 0xa97c}, {0xac00, 0xd7a3}, {0xf900, 0xfad9},
	{0xfe10, 0xfe6b}, {0xff01, 0xff60}, {0xffe0, 0xffe6}, {0x16fe0, 0x1b2fb}, {0x1f004, 0x1f004}, {0x1f0cf, 0x1f0cf},
	{0x1f18e, 0x1f18e}, {0x1f191, 0x1f19a}, {0x1f200, 0x1f320}, {0x1f32d, 0x1f335}, {0x1f337, 0x1f37c}, {0x1f37e, 0x1f393},
	{0x1f3a0, 0x1f3ca}, {0x1f3cf, 0x1f3d3}, {0x1f3e0, 0x1f3f0}, {0x1f3f4, 0x1f3f4}, {0x1f3f8, 0x1f43e}, {0x1f440, 0x1f440},
	{0x1f442, 0x1f4fc}, {0x1f4ff, 0x1f53d}, {0x1f54b, 0x1f54e}, {0x1f550, 0x1f567}, {0x1f57a, 0x1f57a}, {0x1f595, 0x1f596},
	{0x1f5a4, 0x1f5a4}, {0x1f5fb, 0x1f64f}, {0x1f680, 0x1f6c5}, {0x1f6cc, 0x1f6cc}, {0x1f6d0, 0x1f6d2}, {0x1f6d5, 0x1f6df},
	{0x1f6eb, 0x1f6ec}, {0x1f6f4, 0x1f6fc}, {0x1f7e0, 0x1f7f0}, {0x1f90c, 0x1f93a}, {0x1f93c, 0x1f945}, {0x1f947, 0x1f9ff},
	{0x1fa70, 0x1faff}, {0x20000, 0x3fffd},
}

func isWide(r rune) bool {
	i := sort.Search(len(wide), func(i int) bool { return wide[i].last >= r })
	return i < len(wide) && wide[i].first <= r
}
