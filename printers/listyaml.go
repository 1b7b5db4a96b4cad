package printers

import (
	"bytes"
	"context"
	"io"
	"strings"

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
	v, err := plain(ctx, v)
	if err != nil {
		return item{}, err
	}
	listed, err := yaml.Marshal([]any{v})
	if err != nil {
		return item{}, err
	}
	return item{
		bare: func(w io.Writer) error { return writeYAML(w, v) },
		listed: func(w io.Writer, _ *brackets) error {
			_, err := w.Write(listed)
			return err
		},
	}, nil
}

func writeYAML(w io.Writer, v any) error {
	text, err := yaml.Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
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
	json, err := style{escape: yamlEscapes}.text(ctx, v)
	if err != nil {
		return item{}, err
	}
	var text strings.Builder
	if err := (&kyaml.Encoder{}).FromYAML(bytes.NewReader(json), &text); err != nil {
		return item{}, err
	}
	return item{
		bare: func(w io.Writer) error {
			_, err := io.WriteString(w, text.String())
			return err
		},
		listed: func(w io.Writer, b *brackets) error {
			body := strings.TrimSuffix(strings.TrimPrefix(text.String(), "---\n"), "\n")
			_, err := io.WriteString(w, strings.ReplaceAll(body, "\n", "\n"+b.indent))
			return err
		},
	}, nil
}
