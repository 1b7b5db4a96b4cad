package printers

import (
	"context"
	"io"

	"github.com/meshq/kubectl-meshq/printers/encode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// An ndjsonPrinter prints one JSON object per line (newline-delimited JSON, as
// SQL engines read it). Each line begins with the members kind and proxy; proxy
// is the id of the proxy that the object belongs to. Either is null if it isn't
// known. The other members follow in the order of the document, or sorted with
// --sort-keys.
//
// An array of objects and a Kubernetes list are printed as one line per object.
// Any other result that isn't an object is printed as the member value.
type ndjsonPrinter struct {
	out io.Writer
	ctx context.Context
	encode.Style
}

func newNDJSON(o Options) *ndjsonPrinter {
	return &ndjsonPrinter{out: o.Out, ctx: o.context(), Style: encode.Style{Escape: encode.JQEscapes, Sorted: o.Sorted}}
}

// Render encodes the lines of a result, each as far as renderLimit.
func (p *ndjsonPrinter) Render(ctx context.Context, v any) (any, error) {
	loaded, err := encode.LoadResult(ctx, v)
	if err != nil {
		return nil, err
	}
	items, err := p.items(ctx, v, loaded)
	if err != nil {
		return nil, err
	}
	var lines []*encode.Encoding
	for _, item := range items {
		line, err := p.line(ctx, item)
		if err != nil {
			return nil, err
		}
		lines = append(lines, line)
	}
	return lines, nil
}

// items returns the values of the lines of a result. v is the result and loaded
// is its loaded value. The first has an owner, which the second lacks.
func (p *ndjsonPrinter) items(ctx context.Context, v, loaded any) ([]any, error) {
	items, isArray := loaded.([]any)
	if !isArray {
		if _, isObject := v.(*mesh.Object); isObject {
			return []any{v}, nil
		}
		return loadItems(ctx, loaded)
	}
	for _, item := range items {
		part, available, err := encode.LoadPart(ctx, item)
		if err != nil {
			return nil, err
		}
		if _, isObject := part.(*object.Object); available && !isObject {
			return []any{loaded}, nil
		}
	}
	return items, nil
}

func (p *ndjsonPrinter) line(ctx context.Context, v any) (*encode.Encoding, error) {
	part, err := encode.LoadWholePart(ctx, v)
	if err != nil {
		return nil, err
	}
	fields, isObject := part.(*object.Object)
	if !isObject {
		fields = object.Of("value", part)
	}
	line := object.New(fields.Len() + 2)
	line.Set("kind", fields.Get("kind"))
	line.Set("proxy", proxyID(v))
	if id, hasID := fields.Lookup("id"); hasID && fields.Get("kind") == "Proxy" { // also the query may have made the object
		line.Set("proxy", id)
	}
	for key, w := range fields.All() {
		line.Set(key, w) // an object's own members kind and proxy are kept
	}
	e := p.Encode(line)
	if err := e.More(ctx, renderLimit); err != nil {
		return nil, err
	}
	return e, nil
}

// proxyID returns the id of the proxy that an object belongs to, or nil.
func proxyID(v any) any {
	o, _ := v.(*mesh.Object)
	if o = o.Proxy(); o == nil {
		return nil
	}
	id, _ := o.Member("id")
	return id
}

func (p *ndjsonPrinter) Print(rendered any) error {
	for _, line := range rendered.([]*encode.Encoding) {
		if err := line.WriteTo(p.ctx, p.out); err != nil {
			return err
		}
		if _, err := io.WriteString(p.out, "\n"); err != nil {
			return err
		}
	}
	return nil
}

func (p *ndjsonPrinter) Close() error { return nil }
