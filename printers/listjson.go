package printers

import (
	"context"
	"io"
	"strings"

	"github.com/meshq/kubectl-meshq/printers/encode"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// jsonForm is JSON as kubectl prints it: with four spaces per level and Go's
// escapes in strings, unless the options say otherwise.
type jsonForm struct {
	encode.Style
	ctx    context.Context
	inList *brackets
	inJSON *brackets // the text around the items of an array
}

func newJSONForm(o Options) *jsonForm {
	f := &jsonForm{Style: o.style(encode.KubectlEscapes, encode.KubectlASCIIEscapes), ctx: o.context()}
	f.Sorted = true
	if !o.Tab && o.Indent == "" {
		f.Indent = "    "
	}
	f.inList = f.brackets(2, func(items []any) any { return listOf(items) })
	f.inJSON = f.brackets(1, func(items []any) any { return items })
	return f
}

// listOf returns kubectl's List of several objects.
func listOf(items []any) *object.Object {
	return object.Of("apiVersion", "v1", "items", items, "kind", "List", "metadata", object.Of("resourceVersion", ""))
}

// brackets returns the text around the items of a list. It encodes a list of
// two marks and splits the text at the marks.
func (f *jsonForm) brackets(depth int, frame func([]any) any) *brackets {
	const mark = "\x00"
	text := func(v any) string {
		b, _ := f.Text(context.Background(), v) // this can't fail, because the value has no lazy parts
		return string(b)
	}
	parts := strings.Split(text(frame([]any{mark, mark})), text(mark))
	b := &brackets{head: parts[0], separator: parts[1], tail: parts[2] + "\n", empty: text(frame([]any{})) + "\n"}
	if f.Pretty {
		b.indent = strings.Repeat(f.Indent, depth)
	}
	return b
}

func (f *jsonForm) list() *brackets  { return f.inList }
func (f *jsonForm) array() *brackets { return f.inJSON }

func (f *jsonForm) render(ctx context.Context, v any) (item, error) {
	e := f.Encode(v)
	if err := e.More(ctx, renderLimit); err != nil {
		return item{}, err
	}
	return item{
		bare: func(w io.Writer) error {
			if err := e.WriteTo(f.ctx, w); err != nil {
				return err
			}
			_, err := io.WriteString(w, "\n")
			return err
		},
		listed: func(w io.Writer, b *brackets) error {
			return e.WriteTo(f.ctx, indenter{w, "\n" + b.indent})
		},
	}, nil
}
