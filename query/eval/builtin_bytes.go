package eval

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"github.com/meshq/kubectl-meshq/query/jsontext"
)

// byteBuiltins decode texts into bytes, which are texts again.
func byteBuiltins() map[string]builtin {
	return map[string]builtin{
		"_tobase64d/0": decoded(fromBase64),
		"_tourid/0":    decoded(fromURI),
	}
}

// decoded makes a function of the text of a value. From says what is wrong with
// a text that it can't decode.
func decoded(from func(text string) (out, wrong string)) builtin {
	return value(func(m *mach, v any, _ []any) (any, error) {
		v, err := m.force(v)
		if err != nil {
			return nil, err
		}
		text, ok := v.(string)
		if !ok {
			if text, err = m.marshal(v); err != nil {
				return nil, err
			}
		}
		if err := m.alloc(3 * len(text)); err != nil {
			return nil, err
		}
		out, wrong := from(text)
		if wrong != "" {
			return nil, cannot(text, wrong)
		}
		return out, nil
	})
}

// fromBase64 decodes up to the first "=", however many there should be.
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

// fromURI decodes %XX; what comes of it has to be UTF-8.
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
