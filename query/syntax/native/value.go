package native

import (
	"encoding/json"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/itchyny/gojq"
)

// Compare orders two plain values as jq does: -1, 0 or 1. The order is null,
// false, true, numbers, strings, arrays, objects; nan is less than any number.
func Compare(a, b any) int { return gojq.Compare(a, b) }

// Marshal gives the JSON text of a plain value as jq writes it: keys in order,
// no spaces, nan as null, infinities as the largest number.
func Marshal(v any) string {
	bs, _ := gojq.Marshal(v) // it writes to memory: there is no error
	return string(bs)
}

// Preview gives the type and the beginning of the text of a plain value, as
// errors have it: "object ({"a":1})", and "null" for null.
func Preview(v any) string {
	if v == nil {
		return "null"
	}
	return gojq.TypeOf(v) + " (" + gojq.Preview(v) + ")"
}

// Excerpt gives the text of a plain value, cut after 30 bytes.
func Excerpt(v any) string { return gojq.Preview(v) }

// TypeOf gives jq's name for the type of a value, which may hold what is lazy
// inside: "null", "boolean", "number", "string", "array" or "object".
func TypeOf(v any) string { return gojq.TypeOf(v) }

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
