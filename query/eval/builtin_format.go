package eval

import (
	"strings"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// formatBuiltins make rows of text for other programs.
func formatBuiltins() map[string]builtin {
	quoted := strings.NewReplacer(`"`, `""`, "\x00", `\0`)
	escaped := strings.NewReplacer("\t", `\t`, "\r", `\r`, "\n", `\n`, "\\", `\\`, "\x00", `\0`)
	word := strings.NewReplacer("'", `'\''`, "\x00", `\0`)
	return map[string]builtin{
		"_tocsv/0": row("csv", ",", func(s string) string { return `"` + quoted.Replace(s) + `"` }),
		"_totsv/0": row("tsv", "\t", escaped.Replace),
		"_tosh/0":  row("sh", " ", func(s string) string { return "'" + word.Replace(s) + "'" }),
	}
}

// row makes a format of an array of scalars. To a shell, a scalar is a row too,
// and null a word.
func row(name, sep string, quote func(string) string) builtin {
	shell := name == "sh"
	return forced(func(m *mach, v any, _ []any) (any, error) {
		xs, ok := v.([]any)
		if !ok {
			if !shell {
				return nil, cannot(v, "cannot be "+name+"-formatted, only array")
			}
			xs = []any{v}
		}
		var out strings.Builder
		for i, x := range xs {
			if i > 0 {
				out.WriteString(sep)
			}
			cell, null, err := m.cell(name, x, quote)
			if err != nil {
				return nil, err
			}
			if null && !shell {
				continue
			}
			if err := m.write(&out, cell); err != nil {
				return nil, err
			}
		}
		return out.String(), nil
	})
}

// cell gives the text of a scalar; null tells whether it is null, or nan.
func (m *mach) cell(name string, v any, quote func(string) string) (text string, null bool, err error) {
	if v, err = m.force(v); err != nil {
		return "", false, err
	}
	switch v := v.(type) {
	case string:
		if err := m.alloc(5 * len(v)); err != nil {
			return "", false, err
		}
		return quote(v), false, nil
	case []any, *object.Object:
		if name == "sh" {
			return "", false, cannot(v, "can not be escaped for shell")
		}
		return "", false, cannot(v, "is not valid in a csv row")
	}
	text, err = m.marshal(v)
	return text, text == "null", err
}
