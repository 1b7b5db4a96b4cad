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

// Compare compares two completely loaded values in jq's order and returns -1, 0 or 1. The
// order is null, false, true, numbers, strings, arrays, objects. NaN is less than any
// number.
func Compare(a, b any) int { return gojq.Compare(object.ToPlain(a), object.ToPlain(b)) }

// Marshal returns the JSON text of a completely loaded value in jq's form: keys in the
// order in which they were set, no spaces, null for NaN, and the largest number for an
// infinity.
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
	bs, _ := gojq.Marshal(v) // writing to memory never fails
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

// Preview returns the type of a completely loaded value and the beginning of its JSON
// text, as jq's error messages show a value: object ({"a":1}).
func Preview(v any) string { return TypeOf(v) + " (" + Excerpt(v) + ")" }

// mostExcerpt is the maximum number of bytes of a value's text in an error message of jq.
const mostExcerpt = 29

// Excerpt returns the JSON text of a completely loaded value, shortened as in jq's error
// messages: "..." replaces the end of a long text, but the closing bracket or quote
// remains.
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

// TypeOf returns jq's name for the type of a value: "null", "boolean",
// "number", "string", "array" or "object". The value may have lazy parts.
func TypeOf(v any) string {
	if _, ok := v.(*object.Object); ok {
		return "object"
	}
	return gojq.TypeOf(v)
}

// ToFloat converts a number to a float64. ok is false if v is not a number.
func ToFloat(v any) (f float64, ok bool) { return gojq.ToFloat64(v) }

// ToInt converts a number to an int. It rounds towards zero, and returns the
// nearest int if the number is too large. ok is false if v is not a number or
// is NaN.
func ToInt(v any) (i int, ok bool) { return gojq.ToInt(v) }

// Number returns the value of a number in a JSON text or in a query. The value is an int;
// a *big.Int, if an integer is too large for an int; or else a float64. The float64 is
// infinite if the number is too large for it.
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

// Literal returns the value of a number in a query. If printing the value would change
// its text, as for 1.000 or 1e3, the result is the text itself, as a json.Number.
func Literal(text string) any {
	v := Number(text)
	if f, ok := v.(float64); ok && Marshal(f) != text {
		return json.Number(regular(text))
	}
	return v
}

// regular converts a decimal number to the form that JSON requires: digits on both sides
// of the decimal point, and no leading zeros.
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

// ParseNumber parses a text as jq's tonumber does. It accepts numbers in JSON's
// form, with a plus sign, with leading zeros, and with digits on only one side of
// the decimal point. It accepts the words nan and infinity in any case. For any
// other text, ok is false.
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

// isDecimal reports whether a text consists of digits with at most one decimal
// point, and optionally an exponent.
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
