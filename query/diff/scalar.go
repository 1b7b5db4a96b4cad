package diff

import (
	"encoding/json"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// equalScalars compares strings, numbers, booleans and null.
func equalScalars(a, b any, p location) bool {
	s, sText := a.(string)
	t, tText := b.(string)
	switch {
	case sText && tText:
		return s == t || p.rules != plain && equalTexts(s, t, p)
	case sText && p.rules != plain && isDecimal(s):
		return isNumber(b) && equalNumbers(json.Number(s), b)
	case tText && p.rules != plain && isDecimal(t):
		return isNumber(a) && equalNumbers(a, json.Number(t))
	case sText || tText:
		return false
	case isNumber(a) && isNumber(b):
		return equalNumbers(a, b)
	case isNumber(a) || isNumber(b):
		return false
	}
	return a == b
}

// equalTexts compares two strings that are not identical. They count as equal if they are
// the same duration, or the same type in two versions of the API. A masked secret equals
// any string.
func equalTexts(s, t string, p location) bool {
	switch {
	case p.name == typeKey:
		return differOnlyInVersion(s, t)
	case mesh.IsRedacted(s) || mesh.IsRedacted(t) || mesh.IsDigest(s) != mesh.IsDigest(t):
		return true
	}
	d, ok := seconds(s)
	if !ok {
		return false
	}
	e, ok := seconds(t)
	return ok && d == e
}

// differOnlyInVersion reports whether two type URLs refer to the same message in two
// versions of Envoy's API. The package of a message may have another name, and another
// number of parts, in each version.
func differOnlyInVersion(s, t string) bool {
	return lastWord(s) == lastWord(t) && versionOf(s) != versionOf(t)
}

func lastWord(url string) string { return url[strings.LastIndexByte(url, '.')+1:] }

// versionOf returns the version in the package name of a type, such as "v3" or
// "v2alpha1", or "" if there is none.
func versionOf(url string) string {
	words := strings.Split(url, ".")
	for i := len(words) - 1; i >= 0; i-- {
		if w := words[i]; len(w) > 1 && w[0] == 'v' && '0' <= w[1] && w[1] <= '9' {
			return w
		}
	}
	return ""
}

// seconds returns the canonical form of a duration: "1.50s" becomes "1.5". ok is false if
// s isn't a duration.
func seconds(s string) (string, bool) {
	digits, ok := strings.CutSuffix(s, "s")
	if !ok || !isDecimal(digits) {
		return "", false
	}
	if strings.IndexByte(digits, '.') >= 0 {
		digits = strings.TrimRight(strings.TrimRight(digits, "0"), ".")
	}
	return digits, true
}

// isDecimal reports whether s is a decimal number without an exponent.
func isDecimal(s string) bool {
	s = strings.TrimPrefix(s, "-")
	whole, part, dotted := strings.Cut(s, ".")
	return isDigits(whole) && (!dotted || isDigits(part)) && (len(whole) == 1 || whole == "" || whole[0] != '0')
}

func isDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

func isNumber(v any) bool {
	switch v.(type) {
	case int, float64, *big.Int, json.Number:
		return true
	}
	return false
}

// equalNumbers compares two numbers by value. Integers are compared exactly.
func equalNumbers(a, b any) bool {
	if x, ok := a.(int); ok {
		if y, ok := b.(int); ok {
			return x == y
		}
	}
	f, g := float(a), float(b)
	if f != g {
		return f != f && g != g // both numbers are NaN
	}
	if math.Abs(f) < 1<<53 {
		return true
	}
	s, t := digits(a), digits(b)
	return s == t || !isDecimal(s) || !isDecimal(t)
}

func float(v any) float64 {
	switch n := v.(type) {
	case int:
		return float64(n)
	case float64:
		return n
	case *big.Int:
		f, _ := new(big.Float).SetInt(n).Float64()
		return f
	}
	// for a number that is too large, ParseFloat returns infinity
	f, _ := strconv.ParseFloat(string(v.(json.Number)), 64)
	return f
}

// digits returns the text of a number in its JSON form.
func digits(v any) string {
	switch n := v.(type) {
	case int:
		return strconv.Itoa(n)
	case *big.Int:
		return n.String()
	case json.Number:
		return string(n)
	}
	return strconv.FormatFloat(v.(float64), 'g', -1, 64)
}
