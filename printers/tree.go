package printers

import (
	"context"

	"github.com/meshq/kubectl-meshq/printers/columns"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// NewTree returns a printer that prints a Trace as a tree with one step per
// line. It prints any other result as the printer that [New] returns.
func NewTree(o Options) (Printer, error) {
	p, err := New(o)
	if err != nil {
		return nil, err
	}
	return &tree{Printer: p, opts: o}, nil
}

type tree struct {
	Printer
	opts Options
}

// renderedTrace is a rendered Trace.
type renderedTrace struct{ text string }

func (t *tree) Render(ctx context.Context, v any) (any, error) {
	o, ok := v.(*mesh.Object)
	if !ok || o.Kind != "Trace" {
		return t.Printer.Render(ctx, v)
	}
	seen, err := o.Force(ctx)
	if err != nil {
		return nil, err
	}
	r := &columns.Reading{Context: ctx, Now: t.opts.Now}
	s := columns.NewSubject(r, seen.(*object.Object))
	return renderedTrace{columns.DrawTrace(s, t.opts.Color)}, r.Err
}

func (t *tree) Print(rendered any) error {
	b, ok := rendered.(renderedTrace)
	if !ok {
		return t.Printer.Print(rendered)
	}
	_, err := t.opts.Out.Write([]byte(b.text))
	return err
}
