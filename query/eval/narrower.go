package eval

import (
	"context"
	"slices"

	"github.com/meshq/kubectl-meshq/query/values"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// Narrower is a lazy array that can give some of its elements for less than
// all of them. Where a query says X[] | select(.name == "a"), X is asked for
// these only.
type Narrower interface {
	mesh.Lazy
	// Narrow gives the elements that the hint wants, in their order. It may
	// give others too: they are asked again. ok is false when the array has to
	// be forced for that, and when it has, or may have, an element that is no
	// object whose field h.By is a string or null.
	Narrow(ctx context.Context, h mesh.Hint) (elements []any, ok bool, err error)
}

// wanting is what a node does first with its input, seen as a condition: where
// it doesn't hold the node gives nothing, raises nothing and tells nothing.
type wanting struct {
	by string // the field that it is about; empty: the input itself
	// of gives the values wanted, of an array of objects that have a string or
	// null there; false when it can't tell. It gives the same whenever it is
	// asked, looks at nothing that is to be loaded, and never fails.
	of func(m *machine, e *env) (want, bool)
}

// want is some strings.
type want struct {
	these []string
	like  []likeness
}

// likeness is strings of a kind: those that hold is true for, which may be
// more than those that the pattern matches whole.
type likeness struct {
	pattern string
	hold    func(string) bool
}

// and gives what either wants.
func (w want) and(x want) want {
	return want{slices.Concat(w.these, x.these), slices.Concat(w.like, x.like)}
}

func (w want) hint(by string) mesh.Hint {
	h := mesh.Hint{By: by, Names: w.these}
	for _, l := range w.like {
		h.Patterns = append(h.Patterns, l.pattern)
	}
	return h
}

// drops tells whether an element is not wanted. What has no string there is
// asked by what follows: matching it is an error. But to compare null is none.
func (w want) drops(ctx context.Context, by string, element any) bool {
	v, err := mesh.Get(ctx, element, by)
	if err != nil {
		return false
	}
	name, ok := v.(string)
	if !ok {
		return v == nil && len(w.like) == 0 && isObject(ctx, element)
	}
	return !slices.Contains(w.these, name) && !slices.ContainsFunc(w.like, func(l likeness) bool { return l.hold(name) })
}

func isObject(ctx context.Context, v any) bool {
	v, err := mesh.Force(ctx, v)
	_, ok := v.(*object.Object)
	return ok && err == nil
}

// narrowed is an iteration whose results are asked whether they are wanted. It
// gives those of a [Narrower] that are, however it came by them: an iteration
// that is started anew must give the same. Where positions matter, in a path
// expression, all elements are needed.
func narrowed(all *node, w *wanting) *node {
	return &node{multi: true, gen: func(m *machine, e *env, in values.Located, y values.Yield) error {
		x, ok := in.V.(Narrower)
		if !ok || in.P != nil {
			return all.gen(m, e, in, y)
		}
		want, ok := w.of(m, e)
		if !ok {
			return all.gen(m, e, in, y)
		}
		wanted := func(v values.Located) error {
			if want.drops(m.Ctx, w.by, v.V) {
				return nil
			}
			return y(v)
		}
		if _, done := x.Forced(); !done {
			elements, ok, err := x.Narrow(m.Ctx, want.hint(w.by))
			m.Loaded()
			if err == nil && ok {
				return m.each(values.Located{V: elements}, wanted)
			}
		}
		return all.gen(m, e, in, wanted) // if it failed, it fails here too, as it has to
	}}
}
