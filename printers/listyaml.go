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

// yamlForm is YAML as kubectl prints it. A sequence is not indented below its
// key, so an item has the same text in a List and in an array.
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
	var odd placeholders
	v = odd.insert(v)
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
			_, err = w.Write(odd.restore(text))
			return err
		},
		listed: func(w io.Writer, _ *brackets) error {
			_, err := w.Write(odd.restore(listed))
			return err
		},
	}, nil
}

// placeholders collects the strings that YAML's library would print with unsafe
// characters. The library escapes only a few characters, and none in a string
// of several lines. So each such string is replaced by a placeholder before the
// library encodes the value, and the placeholders in the library's output are
// replaced by the strings in double quotes.
type placeholders struct{ strings []string }

// placeholderPrefix is the prefix of a placeholder. A string that contains it
// is replaced by a placeholder too.
const placeholderPrefix = "meshq.quoted.later."

// insert returns a plain value with placeholders in place of strings and keys. It
// modifies v.
func (q *placeholders) insert(v any) any {
	switch v := v.(type) {
	case string:
		return q.placeholder(v)
	case []any:
		for i, w := range v {
			v[i] = q.insert(w)
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			w := q.insert(v[key])
			delete(v, key)
			v[q.placeholder(key)] = w
		}
	}
	return v
}

func (q *placeholders) placeholder(s string) string {
	odd := func(r rune) bool { return safe.IsUnsafe(r) && (r == '\r' || r > '~') }
	if !strings.ContainsFunc(s, odd) && !strings.Contains(s, placeholderPrefix) {
		return s
	}
	q.strings = append(q.strings, s)
	return placeholderPrefix + strconv.Itoa(len(q.strings)-1) + "."
}

// restore replaces the placeholders in the library's output by their strings.
func (q *placeholders) restore(text []byte) []byte {
	if len(q.strings) == 0 {
		return text
	}
	var out []byte
	for {
		before, after, found := bytes.Cut(text, []byte(placeholderPrefix))
		out = append(out, before...)
		if !found {
			return out
		}
		number, after, _ := bytes.Cut(after, []byte("."))
		i, _ := strconv.Atoi(string(number)) // a placeholderPrefix is always followed by a number
		out = append(out, encode.EscapeYAML(string(encode.YAMLEscapes.Quote(nil, q.strings[i])))...)
		text = after
	}
}

// kyamlForm is KYAML, Kubernetes' strict form of YAML with braces and quotes.
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
	for _, end := range []string{"\u0085", "\u2028", "\u2029"} { // line ends in YAML: a reader would turn each, with the spaces around it, into one space
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

// withoutReturns replaces the escaped carriage returns and newlines in JSON, if
// it contains any carriage return. It is needed because kyaml's encoder splits
// strings at newlines and then escapes a carriage return at the end of a line
// wrongly. Each of the two is replaced by a character that doesn't occur in the
// JSON; marks maps 'r' and 'n' to these characters.
func withoutReturns(json []byte) (text []byte, marks map[byte]rune) {
	if !bytes.Contains(json, []byte(`\r`)) {
		return json, nil
	}
	marks = map[byte]rune{}
	next := '\u4e00' // the encoder prints this character and the 20,000 after it unescaped
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
