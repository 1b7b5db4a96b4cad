package mesh

import (
	"context"
)

type gateKey struct{}

// WithGate returns a context whose loads wait for a gate: each load first calls
// gate and continues when it returns. An evaluator sets a gate for each element
// that it evaluates ahead of its consumer, to limit the lookahead; see [Enter].
func WithGate(ctx context.Context, gate func(context.Context) error) context.Context {
	return context.WithValue(ctx, gateKey{}, gate)
}

// Enter calls the gate of ctx, if there is one. A [Lazy] that is Pending calls
// Enter before it waits for a load. Decoding local data needs no gate. Enter
// returns when the load may begin, or returns an error if it must not.
func Enter(ctx context.Context) error {
	if gate, _ := ctx.Value(gateKey{}).(func(context.Context) error); gate != nil {
		return gate(ctx)
	}
	return nil
}

type pauseKey struct{}

// WithPause returns a context for a load. [Pause] calls pause, which releases the
// worker slot that the load occupies, and returns a function that waits for a slot
// again.
func WithPause(ctx context.Context, pause func() (resume func(context.Context) error)) context.Context {
	return context.WithValue(ctx, pauseKey{}, pause)
}

// Pause reports that the load under ctx has waited long for an answer, which may
// never arrive. Other loads may run in its place until the caller calls resume,
// which it must do before it reads the answer. resume waits until the load may run
// again, or returns the error of its context.
func Pause(ctx context.Context) (resume func(context.Context) error) {
	if pause, _ := ctx.Value(pauseKey{}).(func() func(context.Context) error); pause != nil {
		return pause()
	}
	return func(ctx context.Context) error { return ctx.Err() }
}

type pausedKey struct{}

// WithPaused returns a context in which paused is called for every load that is
// paused while a caller waits for it. An evaluator then begins to evaluate another
// element.
func WithPaused(ctx context.Context, paused func()) context.Context {
	return context.WithValue(ctx, pausedKey{}, paused)
}

// Paused reports, to the function set by WithPaused, that a load is paused for
// which the caller is waiting under ctx.
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

// Lost reports that an unavailable part was left out of the output. It calls
// the function set by WithLost.
func Lost(ctx context.Context, f *Fault) {
	if report, _ := ctx.Value(lostKey{}).(func(*Fault)); report != nil {
		report(f)
	}
}
