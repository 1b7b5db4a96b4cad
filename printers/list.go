package printers

import (
	"context"
	"io"

	"github.com/meshq/kubectl-meshq/printers/encode"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// A list prints a single result as it is. It prints several results as the
// items of a v1 List, as kubectl does, or as an array if all of them are
// scalars. Results are buffered until it is known which of these forms applies.
// Without a result it prints an empty List, so that the output can always be
// parsed.
type list struct {
	out               io.Writer
	ctx               context.Context
	form              form
	showManagedFields bool // whether managedFields are printed
	held              []item
	open              *brackets // the list that is open; nil: none
	printed           int
}

// A form is a format of results: JSON, YAML or KYAML.
type form interface {
	render(ctx context.Context, v any) (item, error)
	list() *brackets
	array() *brackets
}

// An item is a rendered result. It is written once, by bare or by listed.
type item struct {
	container bool                                 // the result is an array or an object
	bare      func(io.Writer) error                // writes the result alone, with a newline
	listed    func(w io.Writer, b *brackets) error // writes the result as an item of a list
}

// brackets are the text around and between the items of a list.
type brackets struct {
	head, separator, tail string
	indent                string // the indentation of each line of an item, except the first
	empty                 string // the text of a list without items
}

// maxBufferedScalars is how many scalars are buffered while no array or object has
// come. With one more, the output is an array.
const maxBufferedScalars = 4096

func newList(o Options, format string) *list {
	l := &list{out: o.Out, ctx: o.context(), showManagedFields: o.ShowManagedFields}
	switch format {
	case "json":
		l.form = newJSONForm(o)
	case "yaml":
		l.form = yamlForm{}
	case "kyaml":
		l.form = kyamlForm{}
	}
	return l
}

func (l *list) Render(ctx context.Context, v any) (any, error) {
	v, err := encode.LoadResult(ctx, v)
	if err == nil && !l.showManagedFields {
		v, err = withoutManagedFields(ctx, v)
	}
	if err != nil {
		return nil, err
	}
	it, err := l.form.render(ctx, v)
	if err != nil {
		return nil, err
	}
	switch v.(type) {
	case []any, *object.Object:
		it.container = true
	}
	return it, nil
}

func (l *list) Print(rendered any) error {
	it := rendered.(item)
	if l.open != nil {
		return l.put(it)
	}
	l.held = append(l.held, it)
	switch {
	case len(l.held) == 1:
		return nil
	case it.container || l.held[0].container:
		return l.begin(l.form.list())
	case len(l.held) > maxBufferedScalars:
		return l.begin(l.form.array())
	}
	return nil
}

func (l *list) begin(b *brackets) error {
	l.open = b
	if _, err := io.WriteString(l.out, b.head); err != nil {
		return err
	}
	for _, it := range l.held {
		if err := l.put(it); err != nil {
			return err
		}
	}
	l.held = nil
	return nil
}

func (l *list) put(it item) error {
	if l.printed > 0 {
		if _, err := io.WriteString(l.out, l.open.separator); err != nil {
			return err
		}
	}
	l.printed++
	return it.listed(l.out, l.open)
}

func (l *list) Close() error {
	if l.open == nil {
		switch len(l.held) {
		case 0:
			_, err := io.WriteString(l.out, l.form.list().empty)
			return err
		case 1:
			return l.held[0].bare(l.out)
		}
		if err := l.begin(l.form.array()); err != nil {
			return err
		}
	}
	_, err := io.WriteString(l.out, l.open.tail)
	return err
}
