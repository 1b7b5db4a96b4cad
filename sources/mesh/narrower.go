package mesh

import "context"

// A Narrower is a lazy array that can return some of its elements at a lower
// cost than all of them.
type Narrower interface {
	Lazy
	// Narrow returns the elements that h selects, in their order. It may return
	// other elements too, which the caller has to drop. ok is false if the
	// array has to be forced instead. It is also false if the array may have an
	// element that is not an object, or whose field h.By is neither a string
	// nor null.
	Narrow(ctx context.Context, h Hint) (elements []any, ok bool, err error)
}
