package printers

import (
	"context"

	"github.com/meshq/kubectl-meshq/printers/encode"
)

// NewEach returns a printer that passes each result to a function, as JSON on one
// line, and calls end once at the end, unless an error came before. Results are
// passed in their order.
func NewEach(each func(row []byte) error, end func() error) Printer {
	return &eachPrinter{each: each, end: end}
}

type eachPrinter struct {
	each func([]byte) error
	end  func() error
}

func (p *eachPrinter) Render(ctx context.Context, v any) (any, error) {
	return encode.Style{Escape: encode.JQEscapes}.Text(ctx, v)
}

func (p *eachPrinter) Print(rendered any) error { return p.each(rendered.([]byte)) }

func (p *eachPrinter) Close() error { return p.end() }

// Red returns a text in red, between the escape sequences for a terminal.
func Red(text string) string { return encode.Red(text) }
