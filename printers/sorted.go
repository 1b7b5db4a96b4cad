package printers

import (
	"cmp"
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/client-go/util/jsonpath"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// A sorted printer buffers all rendered results and prints them in the order of
// the values at a path. Results without such a value come first, then null,
// booleans, numbers, strings, and last arrays and objects. Strings are compared
// as quantities, such as 100Mi, if all of them are quantities. Equal results
// keep their order.
type sorted struct {
	Printer
	flag   string
	path   []jsonpath.Node
	held   []sortable
	anyKey bool // some result has a value at the path
}

// sortable is a rendered result with its sort key.
type sortable struct {
	hasKey   bool
	key      any
	rendered any
}

func newSorted(o Options, p Printer) (Printer, error) {
	nodes, err := relaxedPath(o.SortBy)
	if err != nil {
		return nil, usage("--sort-by %v", err)
	}
	return &sorted{Printer: p, flag: o.SortBy, path: nodes}, nil
}

func (s *sorted) Render(ctx context.Context, v any) (any, error) {
	rendered, err := s.Printer.Render(ctx, v)
	if err != nil {
		return nil, err
	}
	e := &pathEvaluation{ctx: ctx}
	found, err := e.template(s.path, v)
	if err != nil {
		return nil, usage("--sort-by %s: %v", s.flag, err)
	}
	k := sortable{rendered: rendered}
	for _, values := range found {
		if len(values) > 0 {
			k.hasKey = true
			k.key, err = e.load(values[0])
			break
		}
	}
	return k, err
}

func (s *sorted) Print(rendered any) error {
	k := rendered.(sortable)
	s.anyKey = s.anyKey || k.hasKey
	s.held = append(s.held, k)
	return nil
}

func (s *sorted) Close() error {
	if len(s.held) > 0 && !s.anyKey {
		return usage("--sort-by %s: no result has that field", s.flag)
	}
	compare := comparing(s.held)
	slices.SortStableFunc(s.held, func(a, b sortable) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), compare(a.key, b.key))
	})
	for _, k := range s.held {
		if err := s.Printer.Print(k.rendered); err != nil {
			return err
		}
	}
	return s.Printer.Close()
}

// PrintedTable reports whether a table was printed.
func (s *sorted) PrintedTable() bool {
	p, ok := s.Printer.(interface{ PrintedTable() bool })
	return ok && p.PrintedTable()
}

func (k sortable) rank() int {
	if !k.hasKey {
		return 0
	}
	switch k.key.(type) {
	case nil:
		return 1
	case bool:
		return 2
	case string:
		return 4
	case []any, *object.Object:
		return 5
	}
	return 3
}

// comparing returns the function that compares two keys of the same rank.
// Strings are compared as quantities only if all of them are quantities.
func comparing(all []sortable) func(a, b any) int {
	sizes := map[string]resource.Quantity{}
	for _, k := range all {
		text, ok := k.key.(string)
		if !ok {
			continue
		}
		q, err := resource.ParseQuantity(text)
		if err != nil {
			sizes = nil
			break
		}
		sizes[text] = q
	}
	return func(a, b any) int {
		x, xText := a.(string)
		y, yText := b.(string)
		if sizes != nil && xText && yText {
			q := sizes[x]
			return q.Cmp(sizes[y])
		}
		order, _ := scalarOrder(a, b)
		return order
	}
}
