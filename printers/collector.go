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
	out    io.Writer
	ctx    context.Context
	ofList bool
	text   func(context.Context, any) ([]byte, error)
	load   func(context.Context, any) (any, error) // loads what text will read of one item of the List
	values []any                                   // the items of the List
}

// collected is a rendered result: the template's output, or an item of the
// List.
type collected struct {
	text  []byte
	value any
}

func (c *collector) Render(ctx context.Context, v any) (any, error) {
	seen, err := mesh.Force(ctx, v)
	if err != nil {
		return nil, err
	}
	if !c.ofList {
		text, err := c.text(ctx, v)
		return collected{text: text}, err
	}
	v, err = c.load(ctx, seen)
	return collected{value: v}, err
}

func (c *collector) Print(rendered any) error {
	r := rendered.(collected)
	if c.ofList {
		c.values = append(c.values, r.value)
		return nil
	}
	_, err := c.out.Write(r.text)
	return err
}

func (c *collector) Close() error {
	if !c.ofList {
		return nil
	}
	var v any = listOf(append([]any{}, c.values...))
	if len(c.values) == 1 {
		if fields, ok := c.values[0].(*object.Object); ok && fields.Get("items") != nil {
			v = c.values[0] // the only result is a list already
		}
	}
	text, err := c.text(c.ctx, v)
	if err != nil {
		return err
	}
	_, err = c.out.Write(text)
	return err
}
