package printers

import (
	"slices"
	"strings"
)

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

// A palette is the escape sequence of each field.
type palette [colorCount]string

// jq's own colours, those of jq 1.7.1 and 1.8.
const jqColors = "0;90:0;39:0;39:0;39:0;32:1;39:1;39:1;34"

// newPalette reads JQ_COLORS as jq does: fields not given keep jq's colour,
// more than there are is no harm. It is not ok, and jq's own, when a field
// holds anything but digits and semicolons.
func newPalette(text string) (p palette, ok bool) {
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

// colors gives the palette that the options ask for, nil for none.
func (o Options) colors() *palette {
	if !o.Color {
		return nil
	}
	p, ok := newPalette(o.Colors)
	if !ok {
		o.note("Failed to set $JQ_COLORS")
	}
	return &p
}

// alarming are the words that stand red in a table.
var alarming = []string{"STALE", "ERROR", "REJECTED"}

// alarms tells whether a cell's first word is alarming: "STALE (5m)".
func alarms(cell string) bool {
	word, _, _ := strings.Cut(cell, " ")
	return slices.Contains(alarming, word)
}
