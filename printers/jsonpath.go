package printers

import (
	"bytes"
	"context"
	"fmt"
	"math"

	"k8s.io/client-go/util/jsonpath"

	"github.com/meshq/kubectl-meshq/printers/encode"
	"github.com/meshq/kubectl-meshq/printers/safe"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// A jsonPathPrinter evaluates a JSONPath template on each result, or on a List
// of all results if the template begins at .items. It loads only the values
// that the paths pass through or end at.
type jsonPathPrinter struct {
	collector
	nodes  []jsonpath.Node
	strict bool // a missing key is an error
	asJSON bool
}

func newJSONPath(o Options, format, template string) (Printer, error) {
	nodes, err := parsePath(template)
	if err != nil {
		return nil, usage("-o %s: %s: %v", format, template, err)
	}
	p := &jsonPathPrinter{nodes: nodes, strict: o.MissingKeysFail, asJSON: format == "jsonpath-as-json"}
	p.collector = collector{out: o.Out, ctx: o.context(), asList: beginsAtItems(nodes), execute: p.text, load: p.load}
	return p, nil
}

// load loads what the template reads of v, by evaluating the template on a List
// with v as its only item. It ignores the output, and errors too unless ctx has
// ended: Close reports them.
func (p *jsonPathPrinter) load(ctx context.Context, v any) (any, error) {
	if _, err := p.text(ctx, listOf([]any{v})); ctx.Err() != nil {
		return nil, err
	}
	return v, nil
}

// parsePath parses a JSONPath template with kubectl's own parser.
func parsePath(template string) ([]jsonpath.Node, error) {
	p, err := jsonpath.Parse("out", template)
	if err != nil {
		return nil, err
	}
	return p.Root.Nodes, nil
}

// beginsAtItems reports whether a path outside of any range begins at .items.
func beginsAtItems(nodes []jsonpath.Node) bool {
	depth := 0
	for _, n := range nodes {
		list, ok := n.(*jsonpath.ListNode)
		if !ok || len(list.Nodes) == 0 {
			continue
		}
		path := list.Nodes
		word, isWord := path[0].(*jsonpath.IdentifierNode)
		if isWord && word.Name == "end" {
			depth--
		}
		if isWord {
			path = path[1:]
		}
		if depth == 0 && len(path) > 0 {
			if field, ok := path[0].(*jsonpath.FieldNode); ok && field.Value == "items" {
				return true
			}
		}
		if isWord && word.Name == "range" {
			depth++
		}
	}
	return false
}

// text returns the output of the template for a value.
func (p *jsonPathPrinter) text(ctx context.Context, v any) ([]byte, error) {
	e := &pathEvaluation{ctx: ctx, strict: p.strict, markText: !p.asJSON}
	found, err := e.template(p.nodes, v)
	if err != nil {
		return nil, fmt.Errorf("jsonpath: %w", err)
	}
	var b bytes.Buffer
	for _, values := range found {
		if err := p.write(ctx, &b, values); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

func (p *jsonPathPrinter) write(ctx context.Context, b *bytes.Buffer, values []any) error {
	if p.asJSON {
		text, err := encode.Style{Indent: "    ", Pretty: true, Escape: encode.KubectlEscapes, Sorted: true}.Text(ctx, append([]any{}, values...))
		b.Write(append(text, '\n'))
		return err
	}
	for i, v := range values {
		if i > 0 {
			b.WriteByte(' ')
		}
		if own, ok := v.(templateText); ok {
			b.WriteString(string(own))
			continue
		}
		text, err := pathText(ctx, v)
		if err != nil {
			return err
		}
		b.WriteString(text)
	}
	return nil
}

// pathText returns a value as JSONPath prints it in text: an array or object as
// JSON, anything else as Go prints it. Unlike kubectl, it escapes newlines in a
// string, so that a value can't imitate a line of output.
func pathText(ctx context.Context, v any) (string, error) {
	v, err := encode.LoadWholePart(ctx, v)
	if err != nil {
		return "", err
	}
	switch v := v.(type) {
	case nil:
		return "null", nil
	case []any, *object.Object:
		text, err := encode.Style{Escape: encode.KubectlEscapes, Sorted: true}.Text(ctx, v)
		return string(text), err
	case float64:
		if math.IsNaN(v) {
			return "null", nil
		}
		return fmt.Sprint(encode.Finite(v)), nil
	}
	return safe.Line(fmt.Sprint(v)), nil
}
