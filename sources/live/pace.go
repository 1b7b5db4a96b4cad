package live

import (
	"context"
	"sync/atomic"
)

// A pacer stops a response that arrives too slowly. If a server sends one byte at
// a time, there is never a long pause. Without a pacer, such a response could last
// for any time.
type pacer struct {
	limits
	ctx  context.Context
	came *atomic.Int64
	stop func()
	slow atomic.Bool
}

// keepPace calls stop as soon as fewer than leastInWindow bytes have arrived
// within a paceWindow. It runs until release is called. release returns true if
// stop was called.
func (l limits) keepPace(ctx context.Context, came *atomic.Int64, stop func()) (release func() (slow bool)) {
	inner, cancel := context.WithCancel(ctx)
	p := &pacer{limits: l, ctx: inner, came: came, stop: stop}
	if l.request == 0 { // otherwise only the configured deadline of the request applies
		p.watch(came.Load())
	}
	return func() bool {
		cancel()
		return p.slow.Load()
	}
}

// watch compares the number of bytes with that before one paceWindow.
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
