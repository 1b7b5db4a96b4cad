package forward

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"k8s.io/client-go/rest"
)

// A Timeout returns a context that ends after d, as context.WithTimeout does.
// The caller provides it, because only package plugin may read the clock.
type Timeout func(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc)

// Options configure a pool. Timeout is required. For every other option, zero
// means the default.
type Options struct {
	Timeout Timeout

	// Sessions limits how many pods may have a session at once, not counting
	// paused ones; the default is 24.
	Sessions int

	// UpgradeTimeout limits how long opening a session may take; the default is
	// 5 s.
	UpgradeTimeout time.Duration

	// Buffer limits how many unread bytes are kept for a connection; the
	// default is 64 MiB. If a reader lags by more, it gets a SlowReaderError.
	Buffer int
}

func (o Options) withDefaults() Options {
	if o.Sessions <= 0 {
		o.Sessions = 24
	}
	if o.UpgradeTimeout <= 0 {
		o.UpgradeTimeout = 5 * time.Second
	}
	if o.Buffer <= 0 {
		o.Buffer = 64 << 20
	}
	return o
}

// A Pool manages the sessions to pods. Its methods may be called by several
// goroutines at once.
type Pool struct {
	o        Options
	upgrader *upgrader
	life     context.Context // the context of the pool, which ends when the pool is closed
	end      context.CancelFunc
	work     sync.WaitGroup // the running sessions and commands

	mu     sync.Mutex
	closed bool
	slots  slots
}

// New returns a pool for the cluster that cfg describes. It copies cfg and
// sends no request.
func New(cfg *rest.Config, o Options) (*Pool, error) {
	if o.Timeout == nil {
		return nil, errors.New("forward: no Timeout given")
	}
	o = o.withDefaults()
	d, err := newUpgrader(cfg, o)
	if err != nil {
		return nil, err
	}
	p := &Pool{o: o, upgrader: d, slots: slots{limit: o.Sessions, held: map[podName]*session{}}}
	p.life, p.end = context.WithCancel(context.Background())
	return p, nil
}

// DialContext opens a TCP connection to a port of a pod, over the pod's session
// if there is one. It waits while Options.Sessions other pods are in use. The
// pod is in use from this call until Release.
//
// If the port refuses the connection or can't be reached, the first Read
// usually returns a RefusedError or a ForwardError. If the API server refuses
// the request, the error is an API status, for functions such as
// apierrors.IsForbidden and IsNotFound. The connection has no deadlines.
// Closing it ends blocked calls of Read and Write.
//
// ctx should be the context of the request, not the context with which an
// http.Transport dials: that one outlives the request, and a dial that succeeds
// after Release would keep a session in use forever.
func (p *Pool) DialContext(ctx context.Context, namespace, pod string, port int) (net.Conn, error) {
	name, err := checkName(namespace, pod)
	if err != nil {
		return nil, err
	}
	for retry := false; ; retry = true {
		s, err := p.enter(ctx, name)
		if err != nil {
			return nil, err
		}
		c, err := s.dial(ctx, port)
		lost := errors.Is(err, LostError{})
		p.leave(s, err == nil, lost)
		switch {
		case err == nil:
			return c, nil
		case p.life.Err() != nil:
			return nil, net.ErrClosed
		case retry || !lost || ctx.Err() != nil:
			return nil, err
		}
	}
}

// Release marks a pod as no longer in use. Its session stays open until another
// pod needs its slot.
func (p *Pool) Release(namespace, pod string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.slots.held[podName{namespace, pod}]; s != nil {
		p.slots.release(s)
		p.admit()
	}
}

// Pause sets whether the session to a pod in use is paused. A session is paused if
// its pod doesn't answer a request, perhaps forever. It then doesn't count against
// Options.Sessions. The caller limits how many pods it pauses. While the API server
// temporarily refuses sessions, Pause does nothing and returns false, because the
// API server would refuse further sessions, too.
func (p *Pool) Pause(namespace, pod string, paused bool) bool {
	if paused && p.upgrader.refused.Load() > 0 {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.slots.held[podName{namespace, pod}]; s != nil {
		p.slots.pause(s, paused)
		p.admit()
	}
	return true
}

// Drop ends the session to a pod, with all its connections. It is meant for a
// request that received no byte of an answer, which may be caused by the
// session. The next DialContext opens a new session.
func (p *Pool) Drop(namespace, pod string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.slots.held[podName{namespace, pod}]; s != nil {
		p.forget(s)
	}
}

// Close ends the pool, its connections and its commands. After it returns, no
// goroutine of the pool runs, except those that wait for the API server to
// accept a stream; these end within 30 s.
func (p *Pool) Close() error {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.end()
	p.work.Wait()
	p.upgrader.close()
	return nil
}

// enter returns the pod's session, which may still be opening. It counts the
// caller's dial on the session.
func (p *Pool) enter(ctx context.Context, name podName) (*session, error) {
	t := &waiter{name: name, given: make(chan *session, 1)}
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, net.ErrClosed
	}
	p.slots.queue = append(p.slots.queue, t)
	p.admit()
	p.mu.Unlock()
	select {
	case s := <-t.given:
		return s, nil
	case <-ctx.Done():
		p.cancelWait(t)
		return nil, context.Cause(ctx)
	case <-p.life.Done():
		p.cancelWait(t)
		return nil, net.ErrClosed
	}
}

// cancelWait removes a caller that has given up from the queue.
func (p *Pool) cancelWait(t *waiter) {
	p.mu.Lock()
	waiting := p.slots.withdraw(t)
	p.mu.Unlock()
	if !waiting {
		p.leave(<-t.given, false, false)
	}
}

// leave ends a dial on a session. If the session is still opening and no other
// caller waits for it, leave ends the session. If no dial on it succeeded,
// leave releases the session.
func (p *Pool) leave(s *session, ok, lost bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s.dialing--
	switch {
	case lost, s.dialing == 0 && !s.opened():
		p.forget(s)
	case s.dialing == 0 && !ok && s.conns.Load() == 0:
		p.slots.release(s)
		p.admit()
	}
}

// admit assigns slots to waiting callers, in the order of their arrival. The
// caller must hold mu.
func (p *Pool) admit() {
	if !p.closed {
		p.slots.admit(p.start)
	}
}

// forget ends a session and frees its slot. The caller must hold mu.
func (p *Pool) forget(s *session) {
	s.end()
	p.slots.vacate(s)
	p.admit()
}

// start creates a session and starts its goroutine, which ends when the session
// and everything in it has ended.
func (p *Pool) start(name podName) *session {
	s := &session{name: name, o: p.o, ready: make(chan struct{})}
	s.ctx, s.end = context.WithCancel(p.life)
	p.work.Go(func() {
		s.run(p.upgrader)
		p.mu.Lock()
		defer p.mu.Unlock()
		p.forget(s)
	})
	return s
}
