package mesh

import "context"

type lostKey struct{}

// WithLost gives a context under which tell hears of every part that is left
// out of something made of a value: printed as null because it can't be had.
// It may be called by several goroutines at once.
func WithLost(ctx context.Context, tell func(*Fault)) context.Context {
	return context.WithValue(ctx, lostKey{}, tell)
}

// Lost tells that a part is left out.
func Lost(ctx context.Context, f *Fault) {
	if tell, _ := ctx.Value(lostKey{}).(func(*Fault)); tell != nil {
		tell(f)
	}
}
