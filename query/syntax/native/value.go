package native

import (
	"encoding/json"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/itchyny/gojq"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// Compare orders two plain values as jq does: -1, 0 or 1. The order is null,
// false, true, numbers, strings, arrays, objects; nan is less than any number.
func Compare(a, b any) int { return gojq.Compare(object.ToPlain(a), object.ToPlain(b)) }

// Marshal gives the JSON text of a plain value as jq writes it: keys as they
// were set, no spaces, nan as null, infinities as the largest number.
func Marshal(v any) string { return string(appendJSON(nil, v)) }

func appendJSON(out []byte, v any) []byte {
	switch v := v.(type) {
	case int:
		return strconv.AppendInt(out, int64(v), 10)
	case string:
		return appendText(out, v)
	case []any:
		out = append(out, '[')
		for i, w := range v {
			if i > 0 {
				out = append(out, ',')
			}
			out = appendJSON(out, w)
		}
		return append(out, ']')
	case *object.Object:
		start := len(out)
		out = append(out, '{')
		for k, w := range v.All() {
			if len(out) > start+1 {
				out = append(out, ',')
			}
			out = append(appendText(out, k), ':')
			out = appendJSON(out, w)
		}
		return append(out, '}')
	}
	bs, _ := gojq.Marshal(v) // it writes to memory: there is no error
	return append(out, bs...)
}

func appendText(out []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			bs, _ := gojq.Marshal(s)
			return append(out, bs...)
		}
	}
	return append(append(append(out, '"'), s...), '"')
}

// Preview gives the type and the beginning of the text of a plain value, as
// jq's errors have it: object ({"a":1}).
func Preview(v any) string { return TypeOf(v) + " (" + Excerpt(v) + ")" }

// mostExcerpt is how many bytes of a value's text jq's errors have.
const mostExcerpt = 29

// Excerpt gives the text of a plain value as jq's errors cut it: "..." takes the
// place of the end, before the bracket or the quote that closes the whole.
func Excerpt(v any) string {
	text := Marshal(v)
	if len(text) <= mostExcerpt {
		return text
	}
	end := map[byte]string{'"': `"`, '[': "]", '{': "}"}[text[0]]
	cut := mostExcerpt - len("...") - len(end)
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "..." + end
}

// TypeOf gives jq's name for the type of a value, which may hold what is lazy
// inside: "null", "boolean", "number", "string", "array" or "object".
func TypeOf(v any) string {
	if _, ok := v.(*object.Object); ok {
		return "object"
	}
	return gojq.TypeOf(v)
}

// ToFloat gives a number as a float64; ok is false for what is no number.
func ToFloat(v any) (f float64, ok bool) { return gojq.ToFloat64(v) }

// ToInt gives a number as an int: cut towards zero, and the nearest int where
// it is too large; ok is false for what is no number, and for nan.
func ToInt(v any) (i int, ok bool) { return gojq.ToInt(v) }

// Number gives the value of a number written in JSON or in a query: an int, a
// *big.Int for a larger integer, else a float64, which is infinite where the
// number is too large for it.
func Number(text string) any {
	if i, err := strconv.Atoi(text); err == nil {
		return i
	}
	n := json.Number(text)
	if strings.ContainsAny(text, ".eE") {
		if f, err := n.Float64(); err == nil {
			return f
		}
	}
	if i, ok := new(big.Int).SetString(text, 10); ok {
		return i
	}
	if strings.HasPrefix(text, "-") {
		return math.Inf(-1)
	}
	return math.Inf(1)
}

// Literal gives the value of a number written in a query, which keeps what was
// written where printing the value would not: 1.000, 1e3.
func Literal(text string) any {
	v := Number(text)
	if f, ok := v.(float64); ok && Marshal(f) != text {
		return json.Number(regular(text))
	}
	return v
}

// regular gives a decimal number the digits before and behind its point that
// JSON wants, and takes zeros away that JSON has not.
func regular(text string) string {
	sign := ""
	if strings.HasPrefix(text, "-") {
		sign, text = "-", text[1:]
	}
	end := len(text)
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		end = i
	}
	whole, fraction, _ := strings.Cut(text[:end], ".")
	whole = strings.TrimLeft(whole, "0")
	if whole == "" {
		whole = "0"
	}
	if fraction != "" {
		whole += "." + fraction
	}
	return sign + whole + text[end:]
}

// ParseNumber gives the number that a text is, as jq's tonumber reads it: a
// JSON number, or one with a plus sign, leading zeros, or no digits on one side
// of its point; nan and infinity in any case. Ok is false for any other text.
func ParseNumber(text string) (n any, ok bool) {
	unsigned := strings.TrimLeft(text, "+-")
	if len(text)-len(unsigned) > 1 {
		return nil, false
	}
	negative := strings.HasPrefix(text, "-")
	switch strings.ToLower(unsigned) {
	case "nan":
		return math.NaN(), true
	case "inf", "infinity":
		if negative {
			return math.Inf(-1), true
		}
		return math.Inf(1), true
	}
	if !isDecimal(unsigned) {
		return nil, false
	}
	return Literal(strings.TrimPrefix(text, "+")), true
}

// isDecimal tells whether a text is digits with at most one point, and an
// exponent or none.
func isDecimal(s string) bool {
	mantissa, exponent := s, ""
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		mantissa, exponent = s[:i], s[i+1:]
		if len(exponent) > 0 && (exponent[0] == '+' || exponent[0] == '-') {
			exponent = exponent[1:]
		}
		if exponent == "" {
			return false
		}
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	return whole+fraction != "" && strings.Trim(whole+fraction+exponent, "0123456789") == ""
}
