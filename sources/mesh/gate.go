package mesh

import "context"

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
