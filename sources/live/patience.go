package live

import (
	"context"
	"sync"
	"time"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// pauseAfter is how long a request occupies its slot while no byte of an answer
// arrives. Nearly all answers begin sooner. An Envoy takes 70 ms to compute a dump of
// 1 MB, and opening a session to a pod in another region takes some 300 ms.
const pauseAfter = 500 * time.Millisecond

// A patience is the wait of a request for the first byte of its answer. If that
// takes long, other requests may run in its place: the request's load is paused (see
// [mesh.Pause]), and its session doesn't count against the limit of sessions.
type patience struct {
	limits
	to address

	mu     sync.Mutex
	stop   func() bool // stops the timer that pauses the request
	over   bool
	resume func(context.Context) error // ends the pause; nil unless the request is paused
}

// wait starts the wait for the first byte of the answer. The caller must call end
// on the result.
func (a *asker) wait(ctx context.Context, to address) *patience {
	p := &patience{limits: a.limits, to: to}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.start(ctx)
	return p
}

// start starts the timer. The caller must hold mu.
func (p *patience) start(ctx context.Context) {
	if p.timeout == nil {
		p.stop = func() bool { return true }
		return
	}
	inner, cancel := p.timeout(ctx, pauseAfter)
	stop := context.AfterFunc(inner, func() {
		cancel()
		p.mu.Lock()
		defer p.mu.Unlock()
		switch {
		case p.over || ctx.Err() != nil:
		case p.to.pause(true):
			p.resume = mesh.Pause(ctx)
		default:
			p.start(ctx)
		}
	})
	p.stop = func() bool { defer cancel(); return stop() }
}

// answered must be called when the first byte of the answer has arrived. If the
// request is paused, answered waits until the request may continue.
func (p *patience) answered(ctx context.Context) error {
	p.end()
	p.mu.Lock()
	resume := p.resume
	p.resume = nil
	p.mu.Unlock()
	if resume == nil {
		return nil
	}
	return resume(ctx)
}

// end ends the wait. It may be called several times.
func (p *patience) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stop()
	if !p.over && p.resume != nil {
		p.to.pause(false)
	}
	p.over = true
}
