package demand

import (
	"context"
	"slices"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// Names are the names of the elements that an iteration still needs. An element is needed
// if a given field of it contains one of these names.
type Names struct {
	These []string
	Like  []Pattern
}

// A Pattern describes a set of strings, for example all strings with a common prefix.
type Pattern struct {
	// RE2 regular expression that matches all strings in the set, and possibly others; it
	// must match the whole string
	Regexp string
	Holds  func(string) bool // reports whether a string is in the set; each string in the set matches Regexp
}

// Union returns the names that are in n or in o.
func (n Names) Union(o Names) Names {
	return Names{slices.Concat(n.These, o.These), slices.Concat(n.Like, o.Like)}
}

// Hint returns a [mesh.Hint] that requests only the elements whose field by contains one
// of the names.
func (n Names) Hint(by string) mesh.Hint {
	h := mesh.Hint{By: by, Names: n.These}
	for _, l := range n.Like {
		h.Patterns = append(h.Patterns, l.Regexp)
	}
	return h
}

// Excludes reports whether an element is not needed, according to the value of its field
// by. An element is needed if the field isn't a string, because comparing such a field
// may be an error. There is one exception: if the names are only compared, an element
// whose field is null is not needed.
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
