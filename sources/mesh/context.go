package mesh

import (
	"context"
)

type gateKey struct{}

// WithGate returns a context under which every load first passes the gate. An
// evaluator sets one for each element that it evaluates ahead of its consumer,
// so that the lookahead is bounded; see [Enter].
func WithGate(ctx context.Context, gate func(context.Context) error) context.Context {
	return context.WithValue(ctx, gateKey{}, gate)
}

// Enter is called by a [Lazy] before it waits for a load (if it is Pending; not
// for local decoding). It returns when the load may begin, or the error that
// ends the wait.
func Enter(ctx context.Context) error {
	if gate, _ := ctx.Value(gateKey{}).(func(context.Context) error); gate != nil {
		return gate(ctx)
	}
	return nil
}

type lostKey struct{}

// WithLost returns a context under which report is called for every part that
// is left out of an output: printed as null because it is unavailable. It may
// be called by several goroutines at once.
func WithLost(ctx context.Context, report func(*Fault)) context.Context {
	return context.WithValue(ctx, lostKey{}, report)
}

// Lost reports that a part is left out.
func Lost(ctx context.Context, f *Fault) {
	if report, _ := ctx.Value(lostKey{}).(func(*Fault)); report != nil {
		report(f)
	}
}
