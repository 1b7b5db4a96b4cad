package mesh

import "context"

// A Narrower is a lazy array that can return some of its elements for less than
// all of them cost.
type Narrower interface {
	Lazy
	// Narrow returns the elements that h names, in their order. It may return
	// others too; the caller has to drop those. ok is false if the array has to
	// be forced, or if it has, or may have, an element that is no object whose
	// field h.By is a string or null.
	Narrow(ctx context.Context, h Hint) (elements []any, ok bool, err error)
}
