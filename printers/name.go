package printers

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/meshq/kubectl-meshq/printers/columns"
	"github.com/meshq/kubectl-meshq/printers/encode"
	"github.com/meshq/kubectl-meshq/printers/safe"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// A namePrinter prints one kind/name per line: proxy/<id>, cluster/<name>, or
// like kubectl virtualservice.networking.istio.io/<name>. For a Kubernetes list
// it prints the names of the items.
type namePrinter struct{ out io.Writer }

func (p *namePrinter) Render(ctx context.Context, v any) (any, error) {
	objects, err := loadItems(ctx, v)
	if err != nil {
		return nil, err
	}
	var lines strings.Builder
	for _, v := range objects {
		fields, _ := v.(*object.Object)
		name, err := nameOf(ctx, fields)
		if err != nil {
			return nil, err
		}
		lines.WriteString(safe.Line(name) + "\n")
	}
	return lines.String(), nil
}

func (p *namePrinter) Print(rendered any) error {
	_, err := io.WriteString(p.out, rendered.(string))
	return err
}

func (p *namePrinter) Close() error { return nil }

// loadItems loads a result. It returns the items of a Kubernetes list, or else the
// result as the only element.
func loadItems(ctx context.Context, v any) ([]any, error) {
	v, err := mesh.Force(ctx, v)
	if err != nil {
		return nil, err
	}
	fields, _ := v.(*object.Object)
	if fields.Get("apiVersion") == nil || fields.Get("items") == nil {
		return []any{v}, nil
	}
	kind, _, err := encode.LoadPart(ctx, fields.Get("kind"))
	if name, _ := kind.(string); err != nil || !strings.HasSuffix(name, "List") {
		return []any{v}, err
	}
	items, _, err := encode.LoadPart(ctx, fields.Get("items"))
	if err != nil {
		return nil, err
	}
	list, ok := items.([]any)
	if !ok {
		return []any{v}, nil
	}
	out := make([]any, len(list))
	for i, w := range list {
		if out[i], _, err = encode.LoadPart(ctx, w); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// nameOf returns kind/name of an object.
func nameOf(ctx context.Context, fields *object.Object) (string, error) {
	s := columns.NewSubject(&columns.Reading{Context: ctx}, fields)
	kind := s.Text("kind")
	if kind == "" {
		return "", fmt.Errorf("-o name: a result has no kind")
	}
	name := s.Name()
	if s.Err != nil {
		return "", s.Err
	}
	if name == "" {
		name = columns.Unknown
	}
	kind = strings.ToLower(kind)
	if group, _, ok := strings.Cut(s.Text("apiVersion"), "/"); ok {
		kind += "." + group
	}
	return kind + "/" + name, s.Err
}
