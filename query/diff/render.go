package diff

import (
	"bytes"
	"encoding/json"
	"math"
	"math/big"
	"slices"
	"strconv"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// line is one line of the output. side is '-' for a line only in a, '+' for a line only
// in b, and ' ' for a line in both.
type line struct {
	side byte
	text string
}

// renderer writes two values as one JSON text with one member or element per line. A line
// that both sides have in common is written only once.
type renderer struct{ out func(line) }

const step = "  "

// text writes the lines of a value that belongs to one side, or to both.
func (r renderer) text(side byte, margin, before string, v any, after string) {
	switch x := v.(type) {
	case *object.Object:
		kind := kindOf(x, nil)
		keys := slices.DeleteFunc(x.Sorted(), kind.excludes)
		if len(keys) == 0 {
			r.out(line{side, margin + before + "{}" + after})
			return
		}
		r.out(line{side, margin + before + "{"})
		for i, key := range keys {
			r.text(side, margin+step, nameText(key), x.Get(key), comma(i+1 < len(keys)))
		}
		r.out(line{side, margin + "}" + after})
	case []any:
		if len(x) == 0 {
			r.out(line{side, margin + before + "[]" + after})
			return
		}
		r.out(line{side, margin + before + "["})
		for i, e := range x {
			r.text(side, margin+step, "", e, comma(i+1 < len(x)))
		}
		r.out(line{side, margin + "]" + after})
	default:
		r.out(line{side, margin + before + scalarText(v) + after})
	}
}

// countLines returns the number of lines that the method text would write.
func countLines(v any) int {
	n := 0
	switch x := v.(type) {
	case *object.Object:
		kind := kindOf(x, nil)
		for key, e := range x.All() {
			if !kind.excludes(key) {
				n += countLines(e)
			}
		}
	case []any:
		for _, e := range x {
			n += countLines(e)
		}
	}
	if n > 0 {
		return n + 2
	}
	return 1
}

// edit writes the lines of both sides of an edit.
func (r renderer) edit(margin string, e *Edit, commaA, commaB bool) {
	before := ""
	if e.KeyA != "" || e.KeyB != "" {
		before = nameText(e.KeyA)
	}
	switch {
	case e.Same:
		r.same(margin, before, e.shown(), commaA, commaB && e.InB || commaA && !e.InB)
	case len(e.Inside) > 0:
		open, closed := "{", "}"
		if e.List {
			open, closed = "[", "]"
		}
		r.out(line{' ', margin + before + open})
		r.inside(margin+step, e.Inside, r.edit)
		r.last(margin+closed, commaA, commaB)
	default:
		if e.InA {
			r.text('-', margin, before, e.A, comma(commaA))
		}
		if e.InB {
			r.text('+', margin, before, e.B, comma(commaB))
		}
	}
}

// shown returns the value to print if both sides are equal. It prefers that of side b,
// which comes from Envoy and has its secrets masked.
func (e *Edit) shown() any {
	if e.InB {
		return e.B
	}
	return e.A
}

// inside writes a sequence of edits. After each value, it writes a comma on each side
// that needs one.
func (r renderer) inside(margin string, all []Edit, write func(margin string, e *Edit, commaA, commaB bool)) {
	lastA, lastB := -1, -1
	for i := range all {
		if all[i].writesA() {
			lastA = i
		}
		if all[i].writesB() {
			lastB = i
		}
	}
	for i := range all {
		if !all[i].Hidden {
			write(margin, &all[i], i < lastA, i < lastB)
		}
	}
}

func (e *Edit) writesA() bool { return e.InA && !e.Hidden }
func (e *Edit) writesB() bool { return e.InB || e.Same }

// same writes a value that both sides have. The comma after the value may be on one side
// only.
func (r renderer) same(margin, before string, v any, commaA, commaB bool) {
	if commaA == commaB {
		r.text(' ', margin, before, v, comma(commaA))
		return
	}
	var held *line
	kept := renderer{func(l line) {
		if held != nil {
			r.out(*held)
		}
		held = &l
	}}
	kept.text(' ', margin, before, v, "")
	r.last(held.text, commaA, commaB)
}

func (r renderer) last(text string, commaA, commaB bool) {
	if commaA == commaB {
		r.out(line{' ', text + comma(commaA)})
		return
	}
	r.out(line{'-', text + comma(commaA)})
	r.out(line{'+', text + comma(commaB)})
}

func comma(more bool) string {
	if more {
		return ","
	}
	return ""
}

func nameText(key string) string { return quoted(key) + ": " }

func scalarText(v any) string {
	switch x := v.(type) {
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(x)
	case string:
		return quoted(x)
	case *big.Int:
		return x.String()
	case float64:
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return "null"
		}
	}
	text, err := json.Marshal(v)
	if err != nil {
		return "null"
	}
	return string(text)
}

// quoted formats a string as JSON. Unlike encoding/json, it doesn't escape characters of
// HTML.
func quoted(s string) string {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return `""`
	}
	return string(bytes.TrimSuffix(out.Bytes(), []byte("\n")))
}
