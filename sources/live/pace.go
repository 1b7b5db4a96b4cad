package live

import (
	"context"
	"sync/atomic"
)

// A pacer stops a response that arrives too slowly. A server that sends one byte
// at a time never pauses for long, so without a pacer such a response could take
// for ever.
type pacer struct {
	limits
	ctx  context.Context
	came *atomic.Int64
	stop func()
	slow atomic.Bool
}

// keepPace calls stop as soon as fewer than leastInWindow bytes have arrived
// within a paceWindow. It checks this until release is called. release returns
// true if stop was called.
func (l limits) keepPace(ctx context.Context, came *atomic.Int64, stop func()) (release func() (slow bool)) {
	inner, cancel := context.WithCancel(ctx)
	p := &pacer{limits: l, ctx: inner, came: came, stop: stop}
	if l.request == 0 { // a configured request timeout is the only deadline
		p.watch(came.Load())
	}
	return func() bool {
		cancel()
		return p.slow.Load()
	}
}

// watch checks at the end of each paceWindow whether enough bytes have arrived
// since the window began.
func (p *pacer) watch(since int64) {
	window, over := p.after(p.ctx, paceWindow)
	context.AfterFunc(window, func() {
		over()
		switch came := p.came.Load(); {
		case p.ctx.Err() != nil:
		case came-since < leastInWindow:
			p.slow.Store(true)
			p.stop()
		default:
			p.watch(came)
		}
	})
}
