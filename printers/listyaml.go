package printers

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/meshq/kubectl-meshq/printers/encode"
	"github.com/meshq/kubectl-meshq/printers/safe"
	"go.yaml.in/yaml/v2"
	"sigs.k8s.io/yaml/kyaml"
)

// yamlForm is YAML as kubectl prints it. A sequence stands at the column of
// its key, so an item reads the same in a List and in an array.
type yamlForm struct{}

const (
	yamlHead = "apiVersion: v1\nitems:"
	yamlTail = "kind: List\nmetadata:\n  resourceVersion: \"\"\n"
)

func (yamlForm) list() *brackets {
	return &brackets{head: yamlHead + "\n", tail: yamlTail, empty: yamlHead + " []\n" + yamlTail}
}

func (yamlForm) array() *brackets { return &brackets{empty: "[]\n"} }

func (yamlForm) render(ctx context.Context, v any) (item, error) {
	v, err := encode.Plain(ctx, v)
	if err != nil {
		return item{}, err
	}
	var odd quotedLater
	v = odd.in(v)
	listed, err := yaml.Marshal([]any{v})
	if err != nil {
		return item{}, err
	}
	return item{
		bare: func(w io.Writer) error {
			text, err := yaml.Marshal(v)
			if err != nil {
				return err
			}
			_, err = w.Write(odd.quoted(text))
			return err
		},
		listed: func(w io.Writer, _ *brackets) error {
			_, err := w.Write(odd.quoted(listed))
			return err
		},
	}, nil
}

// quotedLater are strings that YAML's library would print with something
// unsafe in them: it escapes but a few characters, and none in a string of
// several lines. It is given a name in place of each; in what it printed, the
// name's place is the string's, in double quotes.
type quotedLater struct{ strings []string }

// standIn is what such names begin with. A string with that in it has a name too.
const standIn = "meshq.quoted.later."

// in gives a plain value with names in place of strings and keys.
func (q *quotedLater) in(v any) any {
	switch v := v.(type) {
	case string:
		return q.name(v)
	case []any:
		for i, w := range v {
			v[i] = q.in(w)
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			w := q.in(v[key])
			delete(v, key)
			v[q.name(key)] = w
		}
	}
	return v
}

func (q *quotedLater) name(s string) string {
	odd := func(r rune) bool { return safe.IsUnsafe(r) && (r == '\r' || r > '~') }
	if !strings.ContainsFunc(s, odd) && !strings.Contains(s, standIn) {
		return s
	}
	q.strings = append(q.strings, s)
	return standIn + strconv.Itoa(len(q.strings)-1) + "."
}

// quoted puts the strings in the places of their names.
func (q *quotedLater) quoted(text []byte) []byte {
	if len(q.strings) == 0 {
		return text
	}
	var out []byte
	for {
		before, after, found := bytes.Cut(text, []byte(standIn))
		out = append(out, before...)
		if !found {
			return out
		}
		number, after, _ := bytes.Cut(after, []byte("."))
		i, _ := strconv.Atoi(string(number)) // it is a name: nothing else has its beginning
		out = append(out, encode.EscapeYAML(string(encode.YAMLEscapes.Quote(nil, q.strings[i])))...)
		text = after
	}
}

// kyamlForm is Kubernetes' strict YAML, braces and quotes.
type kyamlForm struct{}

const (
	kyamlHead = "---\n{\n  apiVersion: \"v1\",\n  items: ["
	kyamlTail = "],\n  kind: \"List\",\n  metadata: {\n    resourceVersion: \"\",\n  },\n}\n"
)

func (kyamlForm) list() *brackets {
	return &brackets{head: kyamlHead, separator: ", ", tail: kyamlTail, indent: "  ", empty: kyamlHead + kyamlTail}
}

func (kyamlForm) array() *brackets {
	return &brackets{head: "---\n[\n  ", separator: ",\n  ", tail: ",\n]\n", indent: "  ", empty: "---\n[]\n"}
}

func (kyamlForm) render(ctx context.Context, v any) (item, error) {
	json, err := encode.Style{Escape: encode.YAMLEscapes, Sorted: true}.Text(ctx, v)
	if err != nil {
		return item{}, err
	}
	for _, end := range []string{"\u0085", "\u2028", "\u2029"} { // of a line in YAML, which reads it and the spaces around it as one space
		json = bytes.ReplaceAll(json, []byte(end), fmt.Appendf(nil, `\u%04x`, []rune(end)[0]))
	}
	json, marks := withoutReturns(json)
	var text strings.Builder
	if err := (&kyaml.Encoder{}).FromYAML(bytes.NewReader(json), &text); err != nil {
		return item{}, err
	}
	safe := encode.EscapeYAML(text.String())
	for letter, mark := range marks {
		safe = strings.ReplaceAll(safe, string(mark), `\`+string(letter))
	}
	return item{
		bare: func(w io.Writer) error {
			_, err := io.WriteString(w, safe)
			return err
		},
		listed: func(w io.Writer, b *brackets) error {
			body := strings.TrimSuffix(strings.TrimPrefix(safe, "---\n"), "\n")
			_, err := io.WriteString(w, strings.ReplaceAll(body, "\n", "\n"+b.indent))
			return err
		},
	}, nil
}

// withoutReturns replaces carriage returns and newlines in JSON that has any
// carriage return. Each is replaced by a character that the JSON has nowhere
// else; marks maps "r" and "n" to it. The reason: kyaml's encoder writes a
// carriage return at the end of a text of several lines as a backslash and an
// r, and a text with carriage returns is to stay on one line.
func withoutReturns(json []byte) (text []byte, marks map[byte]rune) {
	if !bytes.Contains(json, []byte(`\r`)) {
		return json, nil
	}
	marks = map[byte]rune{}
	next := '\u4e00' // it is printed as it is, as the 20,000 behind it
	for _, letter := range []byte("rn") {
		for bytes.ContainsRune(json, next) {
			next++
		}
		marks[letter] = next
		next++
	}
	for i := 0; i < len(json); i++ {
		switch {
		case json[i] != '\\':
			text = append(text, json[i])
		case marks[json[i+1]] != 0:
			text = utf8.AppendRune(text, marks[json[i+1]])
			i++
		default:
			text = append(text, json[i], json[i+1])
			i++
		}
	}
	return text, marks
}
