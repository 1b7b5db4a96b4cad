package demand

import (
	"context"
	"slices"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// Names are the names that an iteration still needs: the strings that one field
// of an element must have.
type Names struct {
	These []string
	Like  []Pattern
}

// A Pattern describes a set of strings.
type Pattern struct {
	Regexp string            // matches the whole string, in RE2's syntax
	Holds  func(string) bool // true for the strings in the set; each of them matches Regexp
}

// Union returns the names that are in either of the two.
func (n Names) Union(o Names) Names {
	return Names{slices.Concat(n.These, o.These), slices.Concat(n.Like, o.Like)}
}

// Hint returns a hint for elements whose field named by is one of the names.
func (n Names) Hint(by string) mesh.Hint {
	h := mesh.Hint{By: by, Names: n.These}
	for _, l := range n.Like {
		h.Patterns = append(h.Patterns, l.Regexp)
	}
	return h
}

// Excludes reports whether an element is not needed, by its field named by. An
// element is needed if that field isn't a string, since matching it may be an
// error. There is one exception: an object whose field is null is not needed if
// the names are only compared.
func (n Names) Excludes(ctx context.Context, by string, element any) bool {
	v, err := mesh.Get(ctx, element, by)
	if err != nil {
		return false
	}
	name, ok := v.(string)
	if !ok {
		return v == nil && len(n.Like) == 0 && isObject(ctx, element)
	}
	return !slices.Contains(n.These, name) && !slices.ContainsFunc(n.Like, func(l Pattern) bool { return l.Holds(name) })
}

func isObject(ctx context.Context, v any) bool {
	v, err := mesh.Force(ctx, v)
	_, ok := v.(*object.Object)
	return ok && err == nil
}
