package mesh

import (
	"context"
)

type gateKey struct{}

// WithGate returns a context with a gate: each load under the context calls
// gate first and waits until it returns. An evaluator sets a gate for each
// element that it evaluates before its consumer needs it, to bound the
// lookahead; see [Enter].
func WithGate(ctx context.Context, gate func(context.Context) error) context.Context {
	return context.WithValue(ctx, gateKey{}, gate)
}

// Enter calls the gate of ctx, if there is one. A [Lazy] calls Enter before it
// waits for a load, if it is Pending; local decoding needs no gate. Enter
// returns when the load may begin, or returns the error that ends the wait.
func Enter(ctx context.Context) error {
	if gate, _ := ctx.Value(gateKey{}).(func(context.Context) error); gate != nil {
		return gate(ctx)
	}
	return nil
}

type lostKey struct{}

// WithLost returns a context under which report is called for every unavailable
// part that is printed as null. report may be called by several goroutines at
// once.
func WithLost(ctx context.Context, report func(*Fault)) context.Context {
	return context.WithValue(ctx, lostKey{}, report)
}

// Lost reports that an unavailable part is left out of the output.
func Lost(ctx context.Context, f *Fault) {
	if report, _ := ctx.Value(lostKey{}).(func(*Fault)); report != nil {
		report(f)
	}
}
