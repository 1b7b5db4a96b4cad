package printers

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"text/template"
	"text/template/parse"

	"github.com/meshq/kubectl-meshq/printers/encode"
	"github.com/meshq/kubectl-meshq/printers/safe"
)

// newGoTemplate returns a printer that executes a Go template on each result,
// or on a List of all results if the template begins at .items. The whole value
// is loaded, because a template may read any part of it.
func newGoTemplate(o Options, text string) (Printer, error) {
	t, err := template.New("output").Funcs(template.FuncMap{"exists": exists, "base64decode": base64decode}).Parse(text)
	if err != nil {
		return nil, usage("-o go-template: %v", err)
	}
	if o.MissingKeysFail {
		t.Option("missingkey=error")
	}
	execute := func(ctx context.Context, v any) ([]byte, error) {
		v, err := plainTop(ctx, v)
		if err != nil {
			return nil, err
		}
		v = escapeStrings(v) // before the template is executed, since it can't be known which strings it prints
		var b bytes.Buffer
		if err := recoverPanic(func() error { return t.Execute(&b, v) }); err != nil {
			return nil, fmt.Errorf("go-template: %w", err)
		}
		return b.Bytes(), nil
	}
	return &collector{out: o.Out, ctx: o.context(), asList: refersToItems(t.Root), execute: execute, load: plainTop}, nil
}

func plainTop(ctx context.Context, v any) (any, error) {
	v, err := encode.LoadResult(ctx, v)
	if err != nil {
		return nil, err
	}
	return encode.Plain(ctx, v)
}

// escapeStrings returns a plain value with its strings and keys escaped by
// [safe.Line].
func escapeStrings(v any) any {
	switch v := v.(type) {
	case string:
		return safe.Line(v)
	case []any:
		out := make([]any, len(v))
		for i, w := range v {
			out[i] = escapeStrings(w)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for _, key := range slices.Sorted(maps.Keys(v)) { // in order: if two keys are equal once escaped, always the same one remains
			out[safe.Line(key)] = escapeStrings(v[key])
		}
		return out
	}
	return v
}

// recoverPanic converts a panic of a template into an error, as kubectl does.
func recoverPanic(f func() error) (err error) {
	defer func() {
		if x := recover(); x != nil {
			err = fmt.Errorf("caught panic: %+v", x)
		}
	}()
	return f()
}

// refersToItems reports whether the template refers to .items while . is
// still the template's argument.
func refersToItems(n parse.Node) bool {
	switch n := n.(type) {
	case *parse.ListNode:
		if n == nil {
			return false
		}
		return anyRefersToItems(n.Nodes)
	case *parse.ActionNode:
		return pipeRefersToItems(n.Pipe)
	case *parse.RangeNode:
		return pipeRefersToItems(n.Pipe)
	case *parse.WithNode:
		return pipeRefersToItems(n.Pipe)
	case *parse.IfNode:
		return pipeRefersToItems(n.Pipe) || refersToItems(n.List) || refersToItems(n.ElseList)
	case *parse.FieldNode:
		return n.Ident[0] == "items"
	case *parse.VariableNode:
		return len(n.Ident) > 1 && n.Ident[0] == "$" && n.Ident[1] == "items"
	case *parse.PipeNode:
		return pipeRefersToItems(n)
	}
	return false
}

func anyRefersToItems(nodes []parse.Node) bool {
	for _, n := range nodes {
		if refersToItems(n) {
			return true
		}
	}
	return false
}

func pipeRefersToItems(p *parse.PipeNode) bool {
	for _, c := range p.Cmds {
		if anyRefersToItems(c.Args) {
			return true
		}
	}
	return false
}

func base64decode(v string) (string, error) {
	data, err := base64.StdEncoding.DecodeString(v)
	if err != nil {
		return "", fmt.Errorf("base64 decode failed: %v", err)
	}
	return string(data), nil
}

// exists reports whether the value at a path of keys and indices in item is not
// nil.
func exists(item any, indices ...any) bool {
	for _, index := range indices {
		switch container := item.(type) {
		case map[string]any:
			key, ok := index.(string)
			if !ok {
				return false
			}
			item = container[key]
		case []any:
			at := reflect.ValueOf(index)
			if !at.CanInt() || at.Int() < 0 || at.Int() >= int64(len(container)) {
				return false
			}
			item = container[at.Int()]
		default:
			return false
		}
	}
	return item != nil
}
