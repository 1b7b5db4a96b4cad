package printers

import (
	"context"
	"io"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// A collector prints the output of a template, which is executed either on each
// result or once on a List of all results.
type collector struct {
	out     io.Writer
	ctx     context.Context
	asList  bool
	execute func(context.Context, any) ([]byte, error)
	load    func(context.Context, any) (any, error) // loads what text will read of one item of the List
	values  []any                                   // the items of the List
}

// renderedTemplate is a rendered result: the template's output, or an item of the
// List.
type renderedTemplate struct {
	text  []byte
	value any
}

func (c *collector) Render(ctx context.Context, v any) (any, error) {
	seen, err := mesh.Force(ctx, v)
	if err != nil {
		return nil, err
	}
	if !c.asList {
		text, err := c.execute(ctx, v)
		return renderedTemplate{text: text}, err
	}
	v, err = c.load(ctx, seen)
	return renderedTemplate{value: v}, err
}

func (c *collector) Print(rendered any) error {
	r := rendered.(renderedTemplate)
	if c.asList {
		c.values = append(c.values, r.value)
		return nil
	}
	_, err := c.out.Write(r.text)
	return err
}

func (c *collector) Close() error {
	if !c.asList {
		return nil
	}
	var v any = listOf(append([]any{}, c.values...))
	if len(c.values) == 1 {
		if fields, ok := c.values[0].(*object.Object); ok && fields.Get("items") != nil {
			v = c.values[0] // the only result is a list already
		}
	}
	text, err := c.execute(c.ctx, v)
	if err != nil {
		return err
	}
	_, err = c.out.Write(text)
	return err
}
