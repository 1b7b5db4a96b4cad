package printers

import (
	"context"
	"fmt"

	"k8s.io/client-go/util/jsonpath"

	"github.com/meshq/kubectl-meshq/printers/encode"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// A pathEvaluation evaluates a parsed JSONPath template like client-go, but
// over values that may be lazy. It loads only the values that a path passes
// through. Where client-go uses the random order of a Go map, it sorts the
// keys.
type pathEvaluation struct {
	ctx            context.Context
	strict         bool // a field that no value has is an error
	metUnavailable bool // the path came to an unavailable part
	markText       bool // the text of the template is returned as templateText
}

// templateText is text of the template itself. Unlike the newlines in values, its
// newlines are printed.
type templateText string

// template evaluates the nodes of a template one after another, and the nodes
// between range and end once for each value of the range.
func (e *pathEvaluation) template(nodes []jsonpath.Node, v any) (out [][]any, err error) {
	for i := 0; i < len(nodes); i++ {
		word := identifier(nodes[i])
		if word == "end" {
			return nil, fmt.Errorf("not in range, nothing to end")
		}
		values, err := e.node([]any{v}, nodes[i])
		if err != nil {
			return nil, err
		}
		if word != "range" {
			if e.markText && isTemplateText(nodes[i]) {
				values = []any{templateText(values[0].(string))}
			}
			out = append(out, values)
			continue
		}
		end := rangeEnd(nodes, i)
		for _, w := range values {
			inner, err := e.template(nodes[i+1:end], w)
			if err != nil {
				return nil, err
			}
			out = append(out, inner...)
		}
		if end < len(nodes) {
			i = end
		}
	}
	return out, nil
}

// isTemplateText reports whether a node of a template is text, as in a\n or
// {"a\n"}.
func isTemplateText(n jsonpath.Node) bool {
	if list, ok := n.(*jsonpath.ListNode); ok && len(list.Nodes) > 0 {
		n = list.Nodes[len(list.Nodes)-1]
	}
	_, ok := n.(*jsonpath.TextNode)
	return ok
}

// identifier returns the keyword at the beginning of an action: range, end, or
// "" for none.
func identifier(n jsonpath.Node) string {
	if list, ok := n.(*jsonpath.ListNode); ok && len(list.Nodes) > 0 {
		if word, ok := list.Nodes[0].(*jsonpath.IdentifierNode); ok {
			return word.Name
		}
	}
	return ""
}

// rangeEnd returns the index of the end that belongs to the range at an index.
// A range without an end extends to the end of the template. As in kubectl, its
// nodes are then evaluated once more, on the value that the range was evaluated
// on.
func rangeEnd(nodes []jsonpath.Node, begin int) int {
	depth := 0
	for i := begin; i < len(nodes); i++ {
		switch identifier(nodes[i]) {
		case "range":
			depth++
		case "end":
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return len(nodes)
}

func (e *pathEvaluation) node(in []any, n jsonpath.Node) ([]any, error) {
	switch n := n.(type) {
	case *jsonpath.ListNode:
		return e.path(in, n)
	case *jsonpath.TextNode:
		return []any{n.Text}, nil
	case *jsonpath.FieldNode:
		return e.field(in, n.Value)
	case *jsonpath.ArrayNode:
		return e.slice(in, n)
	case *jsonpath.FilterNode:
		return e.filter(in, n)
	case *jsonpath.IntNode:
		return constant(in, n.Value), nil
	case *jsonpath.FloatNode:
		return constant(in, n.Value), nil
	case *jsonpath.BoolNode:
		return constant(in, n.Value), nil
	case *jsonpath.WildcardNode:
		return e.members(in)
	case *jsonpath.RecursiveNode:
		return e.descend(in)
	case *jsonpath.UnionNode:
		return e.union(in, n)
	case *jsonpath.IdentifierNode:
		if n.Name == "range" || n.Name == "end" {
			return in, nil
		}
		return nil, fmt.Errorf("unrecognized identifier %s", n.Name)
	}
	return nil, fmt.Errorf("unexpected node %v", n)
}

func (e *pathEvaluation) path(in []any, n *jsonpath.ListNode) (out []any, err error) {
	for _, step := range n.Nodes {
		if in, err = e.node(in, step); err != nil {
			return nil, err
		}
	}
	return in, nil
}

func constant(in []any, v any) []any {
	out := make([]any, len(in))
	for i := range out {
		out[i] = v
	}
	return out
}

// load loads one level of a value. An unavailable value is nil.
func (e *pathEvaluation) load(v any) (any, error) {
	v, had, err := encode.LoadPart(e.ctx, v)
	e.metUnavailable = e.metUnavailable || !had
	return v, err
}

func (e *pathEvaluation) field(in []any, key string) ([]any, error) {
	var out []any
	for _, v := range in {
		v, err := e.load(v)
		if err != nil {
			return nil, err
		}
		if fields, ok := v.(*object.Object); ok {
			if member, ok := fields.Lookup(key); ok {
				out = append(out, member)
			}
		}
	}
	if len(out) == 0 && len(in) > 0 && e.strict {
		return nil, fmt.Errorf("%s is not found", key)
	}
	return out, nil
}

func (e *pathEvaluation) slice(in []any, n *jsonpath.ArrayNode) (out []any, err error) {
	for _, v := range in {
		if v, err = e.load(v); err != nil {
			return nil, err
		}
		if v == nil {
			continue
		}
		items, ok := v.([]any)
		if !ok {
			return nil, fmt.Errorf("%s is not an array", typeName(v))
		}
		from, to, step, err := bounds(n, len(items))
		if err != nil {
			return nil, err
		}
		for i := from; i < to; i += step {
			out = append(out, items[i])
		}
	}
	return out, nil
}

// bounds returns the indices that an index or a slice selects from an array:
// from, from+step and so on, below to.
func bounds(n *jsonpath.ArrayNode, length int) (from, to, step int, err error) {
	to, step = length, 1
	if n.Params[0].Known {
		from = n.Params[0].Value
	}
	if from < 0 {
		from += length
	}
	if n.Params[1].Known {
		to = n.Params[1].Value
	}
	if to < 0 || to == 0 && n.Params[1].Derived {
		to += length
	}
	if from == to {
		return 0, 0, 1, nil
	}
	if n.Params[2].Known {
		step = n.Params[2].Value
	}
	switch {
	case from < 0 || from >= length:
		err = fmt.Errorf("array index out of bounds: index %d, length %d", from, length)
	case to < 0 || to > length:
		err = fmt.Errorf("array index out of bounds: index %d, length %d", to-1, length)
	case from > to:
		err = fmt.Errorf("starting index %d is greater than ending index %d", from, to)
	case step <= 0:
		err = fmt.Errorf("step must be > 0")
	}
	return from, to, step, err
}

func (e *pathEvaluation) members(in []any) (out []any, err error) {
	for _, v := range in {
		if v, err = e.load(v); err != nil {
			return nil, err
		}
		out = append(out, membersOf(v)...)
	}
	return out, nil
}

// membersOf returns the elements of an array, or the members of an object in the
// order of their keys.
func membersOf(v any) []any {
	switch v := v.(type) {
	case []any:
		return v
	case *object.Object:
		out := make([]any, 0, v.Len())
		for _, key := range v.Sorted() {
			out = append(out, v.Get(key))
		}
		return out
	}
	return nil
}

// descend returns each container, followed by the containers in it. A non-empty
// string counts as a container, as in client-go.
func (e *pathEvaluation) descend(in []any) (out []any, err error) {
	for _, v := range in {
		if v, err = e.load(v); err != nil {
			return nil, err
		}
		if text, ok := v.(string); ok && text != "" {
			out = append(out, v)
			continue
		}
		members := membersOf(v)
		if len(members) == 0 {
			continue
		}
		below, err := e.descend(members)
		if err != nil {
			return nil, err
		}
		out = append(append(out, v), below...)
	}
	return out, nil
}

func (e *pathEvaluation) union(in []any, n *jsonpath.UnionNode) (out []any, err error) {
	for _, path := range n.Nodes {
		values, err := e.path(in, path)
		if err != nil {
			return nil, err
		}
		out = append(out, values...)
	}
	return out, nil
}

func typeName(v any) string {
	switch v.(type) {
	case bool:
		return "a boolean"
	case string:
		return "a string"
	case *object.Object:
		return "an object"
	}
	return "a number"
}
