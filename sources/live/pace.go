package live

import (
	"context"
	"sync/atomic"
)

// A pacer stops an answer that comes too slowly. One that trickles would hold
// its request as long as its sender likes: it is never silent.
type pacer struct {
	limits
	ctx  context.Context
	came *atomic.Int64
	stop func()
	slow atomic.Bool
}

// keepPace stops what is under way by stop as soon as fewer than leastInWindow
// bytes came within a paceWindow, until release is called, which tells whether
// it did.
func (l limits) keepPace(ctx context.Context, came *atomic.Int64, stop func()) (release func() (slow bool)) {
	inner, cancel := context.WithCancel(ctx)
	p := &pacer{limits: l, ctx: inner, came: came, stop: stop}
	if l.request == 0 { // else that is the deadline that was asked for
		p.watch(came.Load())
	}
	return func() bool {
		cancel()
		return p.slow.Load()
	}
}

// watch looks again in a paceWindow.
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
