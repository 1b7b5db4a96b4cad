package mesh

import (
	"context"
)

type gateKey struct{}

// WithGate gives a context under which a load first has to pass the gate. The
// evaluator hangs one on each element that it works on ahead of its consumer,
// so that looking ahead is bounded; see [Enter].
func WithGate(ctx context.Context, gate func(context.Context) error) context.Context {
	return context.WithValue(ctx, gateKey{}, gate)
}

// Enter is called by a [Lazy] before it waits for a load (when it is Pending,
// not for local decoding). It returns when the load may begin, or the error
// that ends the wait.
func Enter(ctx context.Context) error {
	if gate, _ := ctx.Value(gateKey{}).(func(context.Context) error); gate != nil {
		return gate(ctx)
	}
	return nil
}

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
