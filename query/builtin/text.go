package builtin

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/meshq/kubectl-meshq/query/jsontext"
	"github.com/meshq/kubectl-meshq/query/syntax/native"
	"github.com/meshq/kubectl-meshq/query/values"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// textBuiltins returns the builtins that create or read strings.
func textBuiltins() map[string]values.Func {
	return map[string]values.Func{
		"tojson/0": func(m *values.Task, v any, _ []any) (any, error) {
			text, err := m.Marshal(v)
			return text, err
		},
		"tostring/0": func(m *values.Task, v any, _ []any) (any, error) {
			v, err := m.Force(v)
			if err != nil {
				return nil, err
			}
			if s, ok := v.(string); ok {
				return s, nil
			}
			text, err := m.Marshal(v)
			return text, err
		},
		"fromjson/0": forced(func(m *values.Task, v any, _ []any) (any, error) {
			text, ok := v.(string)
			if !ok {
				return nil, values.Cannot(v, "only strings can be parsed")
			}
			if err := m.Alloc(8 * len(text)); err != nil {
				return nil, err
			}
			type parsed struct {
				v   any
				err error
			}
			r, err := values.Interruptible(m, len(text), func() parsed {
				v, err := jsontext.Parse(text)
				return parsed{v, err}
			})
			return r.v, cmp.Or(err, r.err)
		}),
		"startswith/1": ofStrings("startswith", func(_ *values.Task, a, b string) (any, error) { return strings.HasPrefix(a, b), nil }),
		"endswith/1":   ofStrings("endswith", func(_ *values.Task, a, b string) (any, error) { return strings.HasSuffix(a, b), nil }),
		"ltrimstr/1":   ofStrings("ltrimstr", func(_ *values.Task, a, b string) (any, error) { return strings.TrimPrefix(a, b), nil }),
		"rtrimstr/1":   ofStrings("rtrimstr", func(_ *values.Task, a, b string) (any, error) { return strings.TrimSuffix(a, b), nil }),
		"trimstr/1": ofStrings("trimstr", func(_ *values.Task, a, b string) (any, error) {
			return strings.TrimSuffix(strings.TrimPrefix(a, b), b), nil
		}),
		"ascii_downcase/0": ofString("ascii_downcase", func(m *values.Task, s string) (any, error) { return strings.Map(lower, s), m.Alloc(len(s)) }),
		"ascii_upcase/0":   ofString("ascii_upcase", func(m *values.Task, s string) (any, error) { return strings.Map(upper, s), m.Alloc(len(s)) }),
		"trim/0":           ofString("trim", func(_ *values.Task, s string) (any, error) { return strings.TrimSpace(s), nil }),
		"ltrim/0":          ofString("ltrim", func(_ *values.Task, s string) (any, error) { return strings.TrimLeftFunc(s, unicode.IsSpace), nil }),
		"rtrim/0":          ofString("rtrim", func(_ *values.Task, s string) (any, error) { return strings.TrimRightFunc(s, unicode.IsSpace), nil }),
		"utf8bytelength/0": ofString("utf8bytelength", func(_ *values.Task, s string) (any, error) { return len(s), nil }),
		"explode/0":        ofString("explode", func(m *values.Task, s string) (any, error) { return explode(m, s) }),
		"tonumber/0":       forced(func(m *values.Task, v any, _ []any) (any, error) { return toNumber(m, v) }),
		"split/1":          ofStrings("split", func(m *values.Task, a, b string) (any, error) { return values.Split(m, a, b) }),
		"join/1":           forced(func(m *values.Task, v any, a []any) (any, error) { return join(m, v, a[0]) }),
	}
}

func lower(r rune) rune {
	if 'A' <= r && r <= 'Z' {
		return r + ('a' - 'A')
	}
	return r
}

func upper(r rune) rune {
	if 'a' <= r && r <= 'z' {
		return r - ('a' - 'A')
	}
	return r
}

// explode returns the code points of a string, as an array.
func explode(m *values.Task, s string) (any, error) {
	n := utf8.RuneCountInString(s)
	if err := m.Alloc(values.StringSize * n); err != nil {
		return nil, err
	}
	out := make([]any, 0, n)
	for _, r := range s {
		if err := m.Tick(); err != nil {
			return nil, err
		}
		out = append(out, int(r))
	}
	return out, nil
}

// toNumber implements tonumber: it returns a number unchanged, and parses a string.
func toNumber(m *values.Task, v any) (any, error) {
	switch v := v.(type) {
	case int, float64, json.Number, *big.Int:
		return v, nil
	case string:
		if i, err := strconv.Atoi(v); err == nil && v[0] != '+' {
			return i, nil
		}
		return numberIn(v)
	}
	return nil, noNumber(v)
}

// numberIn parses the text of a number. As jq does, it accepts some forms that JSON
// doesn't allow.
func numberIn(text string) (any, error) {
	if n, ok := native.ParseNumber(text); ok {
		return n, nil
	}
	return nil, noNumber(text)
}

func noNumber(v any) error { return values.Cannot(v, "cannot be parsed as a number") }

// ofString returns a builtin that applies fn to its input, which must be a string.
func ofString(name string, fn func(m *values.Task, s string) (any, error)) values.Func {
	return forced(func(m *values.Task, v any, _ []any) (any, error) {
		if s, ok := v.(string); ok {
			return fn(m, s)
		}
		return nil, needsString(name, v)
	})
}

// ofStrings returns a builtin that applies fn to its input and its argument, which must
// be strings.
func ofStrings(name string, fn func(m *values.Task, a, b string) (any, error)) values.Func {
	return forced(func(m *values.Task, v any, args []any) (any, error) {
		w, err := m.Force(args[0])
		if err != nil {
			return nil, err
		}
		a, ok1 := v.(string)
		b, ok2 := w.(string)
		if !ok1 || !ok2 {
			return nil, needsString(name, v)
		}
		return fn(m, a, b)
	})
}

// join converts the members of a container to strings and joins them with a separator.
func join(m *values.Task, v, sep any) (any, error) {
	xs, ok := members(v)
	if !ok {
		return nil, values.CannotIterate(v)
	}
	if len(xs) == 0 {
		return "", nil
	}
	s := values.NewSum(m)
	for i, x := range xs {
		if err := m.Tick(); err != nil {
			return nil, err
		}
		between := sep
		if i == 0 {
			between = ""
		}
		if err := s.Push(between); err != nil {
			return nil, err
		}
		x, err := m.Force(x)
		if err != nil {
			return nil, err
		}
		switch x.(type) {
		case bool, int, float64, *big.Int, json.Number:
			x = native.Marshal(x)
		}
		if err := s.Push(x); err != nil {
			return nil, err
		}
	}
	return s.Result()
}

// byteBuiltins returns the builtins that decode base64 and URIs.
func byteBuiltins() map[string]values.Func {
	return map[string]values.Func{
		"_tobase64d/0": decoded(fromBase64),
		"_tourid/0":    decoded(fromURI),
	}
}

// decoded returns a builtin that converts its input to a string and decodes the string
// with the given function. If the function can't decode it, it returns the last part of
// the error message as its second result.
func decoded(from func(text string) (out, wrong string)) values.Func {
	return func(m *values.Task, v any, _ []any) (any, error) {
		v, err := m.Force(v)
		if err != nil {
			return nil, err
		}
		text, ok := v.(string)
		if !ok {
			if text, err = m.Marshal(v); err != nil {
				return nil, err
			}
		}
		if err := m.Alloc(3 * len(text)); err != nil {
			return nil, err
		}
		out, wrong := from(text)
		if wrong != "" {
			return nil, values.Cannot(text, wrong)
		}
		return out, nil
	}
}

// fromBase64 decodes base64 text up to the first "=". The text may end with any number of
// "=".
func fromBase64(text string) (out, wrong string) {
	text, _, _ = strings.Cut(text, "=")
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	if strings.Trim(text, letters) != "" {
		return "", "is not valid base64 data"
	}
	bytes, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil {
		return "", "trailing base64 byte found"
	}
	return jsontext.WellFormed(string(bytes)), ""
}

// fromURI decodes each %XX in a text. It returns an error message if the result isn't
// valid UTF-8.
func fromURI(text string) (out, wrong string) {
	const says = "is not a valid uri encoding"
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '%' {
			b.WriteByte(text[i])
			continue
		}
		if i+2 >= len(text) {
			return "", says
		}
		decoded, err := hex.DecodeString(text[i+1 : i+3])
		if err != nil {
			return "", says
		}
		b.Write(decoded)
		i += 2
	}
	if !utf8.ValidString(b.String()) {
		return "", says
	}
	return b.String(), ""
}

// formatBuiltins returns the builtins that write a row of values for other programs, such
// as @csv and @sh.
func formatBuiltins() map[string]values.Func {
	quoted := strings.NewReplacer(`"`, `""`, "\x00", `\0`)
	escaped := strings.NewReplacer("\t", `\t`, "\r", `\r`, "\n", `\n`, "\\", `\\`, "\x00", `\0`)
	word := strings.NewReplacer("'", `'\''`, "\x00", `\0`)
	return map[string]values.Func{
		"_tocsv/0": row("csv", ",", func(s string) string { return `"` + quoted.Replace(s) + `"` }),
		"_totsv/0": row("tsv", "\t", escaped.Replace),
		"_tosh/0":  row("sh", " ", func(s string) string { return "'" + word.Replace(s) + "'" }),
	}
}

// row returns a builtin that writes an array of scalars as one row. The format sh also
// accepts a single scalar, and writes null as the text null.
func row(name, sep string, quote func(string) string) values.Func {
	shell := name == "sh"
	return forced(func(m *values.Task, v any, _ []any) (any, error) {
		xs, ok := v.([]any)
		if !ok {
			if !shell {
				return nil, values.Cannot(v, "cannot be "+name+"-formatted, only array")
			}
			xs = []any{v}
		}
		var out strings.Builder
		for i, x := range xs {
			if i > 0 {
				out.WriteString(sep)
			}
			cell, null, err := cell(m, name, x, quote)
			if err != nil {
				return nil, err
			}
			if null && !shell {
				continue
			}
			if err := m.WriteText(&out, cell); err != nil {
				return nil, err
			}
		}
		return out.String(), nil
	})
}

// cell returns the text of one value of a row. null is true if the value is null or nan.
func cell(m *values.Task, name string, v any, quote func(string) string) (text string, null bool, err error) {
	if v, err = m.Force(v); err != nil {
		return "", false, err
	}
	switch v := v.(type) {
	case string:
		if err := m.Alloc(5 * len(v)); err != nil {
			return "", false, err
		}
		return quote(v), false, nil
	case []any, *object.Object:
		if name == "sh" {
			return "", false, values.Cannot(v, "can not be escaped for shell")
		}
		return "", false, values.Cannot(v, "is not valid in a csv row")
	}
	text, err = m.Marshal(v)
	return text, text == "null", err
}

// needsString returns the error of the builtin called name for an input v that isn't a
// string.
func needsString(name string, v any) error {
	switch name {
	case "utf8bytelength":
		return values.Cannot(v, "only strings have UTF-8 byte length")
	case "trim", "ltrim", "rtrim":
		return values.TextError("trim input must be a string")
	case "split":
		return values.TextError("split input and separator must be strings")
	case "startswith", "ltrimstr", "trimstr":
		return values.TextError("startswith() requires string inputs")
	case "endswith", "rtrimstr":
		return values.TextError("endswith() requires string inputs")
	}
	return values.TextError("explode input must be a string")
}
