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

type pauseKey struct{}

// WithPause returns a context for a load. pause is called by [Pause]. It gives back
// the slot that the load holds, and returns a function that waits for a slot again.
func WithPause(ctx context.Context, pause func() (resume func(context.Context) error)) context.Context {
	return context.WithValue(ctx, pauseKey{}, pause)
}

// Pause reports that the load under ctx has waited long for an answer, and may wait
// for nothing. Other loads may run in its place until resume is called, which must
// happen before the answer is read. resume waits until the load may run again, or
// returns the error of its context.
func Pause(ctx context.Context) (resume func(context.Context) error) {
	if pause, _ := ctx.Value(pauseKey{}).(func() func(context.Context) error); pause != nil {
		return pause()
	}
	return func(ctx context.Context) error { return ctx.Err() }
}

type pausedKey struct{}

// WithPaused returns a context under which paused is called for every load that is
// paused while a caller waits for it. An evaluator begins another element then.
func WithPaused(ctx context.Context, paused func()) context.Context {
	return context.WithValue(ctx, pausedKey{}, paused)
}

// Paused reports that the load for which the caller waits under ctx is paused.
func Paused(ctx context.Context) {
	if paused, _ := ctx.Value(pausedKey{}).(func()); paused != nil {
		paused()
	}
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
