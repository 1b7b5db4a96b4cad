package encode

import "strings"

// The fields of JQ_COLORS, in its order.
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

// A Palette is the escape sequence of each field.
type Palette [colorCount]string

// jq's own colours, those of jq 1.7.1 and 1.8.
const jqColors = "0;90:0;39:0;39:0;39:0;32:1;39:1;39:1;34"

// NewPalette reads JQ_COLORS as jq does: fields not given keep jq's colour,
// more than there are is no harm. It is not ok, and jq's own, when a field
// holds anything but digits and semicolons.
func NewPalette(text string) (p Palette, ok bool) {
	for i, field := range strings.Split(jqColors, ":") {
		p[i] = escape(field)
	}
	given := p
	fields := strings.SplitN(text, ":", colorCount+1)
	for i, field := range fields {
		if i == colorCount {
			break
		}
		if strings.Trim(field, "0123456789;") != "" {
			// jq looks at the eighth field only up to what it can't read
			if i < colorCount-1 {
				return p, false
			}
			field = field[:strings.IndexFunc(field, func(r rune) bool { return r != ';' && (r < '0' || r > '9') })]
		}
		if field == "" && (i == len(fields)-1 || i == colorCount-1) {
			break // an empty last field counts as not given
		}
		given[i] = escape(field)
	}
	return given, true
}

func escape(codes string) string { return "\x1b[" + codes + "m" }

// Red returns a text between the escape sequences of red on a terminal.
func Red(text string) string { return escape("31") + text + resetColor }
