package encode

import "strings"

// These are the indices of a [Palette], in the order of the fields of
// JQ_COLORS.
const (
	nullColor = iota
	falseColor
	trueColor
	numberColor
	stringColor
	arrayColor
	objectColor
	keyColor
	colorCount
)

const resetColor = "\x1b[0m"

// A Palette contains the escape sequences for the colours of JSON.
type Palette [colorCount]string

// jqColors are the default colours of jq 1.7.1 and 1.8.
const jqColors = "0;90:0;39:0;39:0;39:0;32:1;39:1;39:1;34"

// NewPalette parses the value of JQ_COLORS as jq does. A missing field keeps
// jq's default colour, and fields after the eighth are ignored. If a field
// contains anything but digits and semicolons, ok is false and the palette is
// jq's default.
func NewPalette(text string) (p Palette, ok bool) {
	for i, field := range strings.Split(jqColors, ":") {
		p[i] = escapeSequence(field)
	}
	given := p
	fields := strings.SplitN(text, ":", colorCount+1)
	for i, field := range fields {
		if i == colorCount {
			break
		}
		if strings.Trim(field, "0123456789;") != "" {
			// jq reads the eighth field only up to the first invalid character
			if i < colorCount-1 {
				return p, false
			}
			field = field[:strings.IndexFunc(field, func(r rune) bool { return r != ';' && (r < '0' || r > '9') })]
		}
		if field == "" && (i == len(fields)-1 || i == colorCount-1) {
			break // an empty last field counts as missing
		}
		given[i] = escapeSequence(field)
	}
	return given, true
}

func escapeSequence(codes string) string { return "\x1b[" + codes + "m" }

// Red returns a text between the escape sequences that make it red on a
// terminal.
func Red(text string) string { return escapeSequence("31") + text + resetColor }

// Yellow returns a text between the escape sequences that make it yellow on a
// terminal.
func Yellow(text string) string { return escapeSequence("33") + text + resetColor }
