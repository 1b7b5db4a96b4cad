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
// The caller provides it because only package plugin may read the clock.
type Timeout func(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc)

// Options configure a pool. Timeout is required; zero means the default for all
// others.
type Options struct {
	Timeout Timeout

	// Sessions is how many pods may have a session at once; 0: 24.
	Sessions int

	// UpgradeTimeout is how long opening a session may take; 0: 5 s.
	UpgradeTimeout time.Duration

	// Buffer is how many bytes are kept for a connection whose reader lags.
	// A reader that lags more gets a SlowReaderError; 0: 64 MiB.
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

// A Pool holds the sessions to pods. Its methods may be called by several
// goroutines at once.
type Pool struct {
	o        Options
	upgrader *upgrader
	life     context.Context // ends with the pool
	end      context.CancelFunc
	work     sync.WaitGroup // sessions and commands that run

	mu     sync.Mutex
	closed bool
	slots  slots
}

// New returns a pool for the cluster of a configuration, which is copied. It
// sends no request yet.
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
// if there is one. While Options.Sessions other pods are in use, it waits. The
// pod is in use from now until Release.
//
// A port that refuses or can't be reached usually shows at the first Read, as a
// RefusedError or a ForwardError. A refusal of the API server is an API status:
// apierrors.IsForbidden, IsNotFound and the like hold for the error. The
// connection has no deadlines; closing it ends its Read and Write.
//
// ctx should be that of the request. The context that an http.Transport dials
// with is not: it outlives the request, and a dial that succeeds after Release
// keeps a session in use that nobody releases.
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

// Release marks a pod as no longer in use. Its session is kept until another
// pod needs its slot.
func (p *Pool) Release(namespace, pod string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.slots.held[podName{namespace, pod}]; s != nil {
		p.slots.release(s)
		p.admit()
	}
}

// Drop ends the session to a pod, with all its connections. It is for a request
// that got no byte of an answer, which may be the session's fault. The next
// DialContext opens another session.
func (p *Pool) Drop(namespace, pod string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.slots.held[podName{namespace, pod}]; s != nil {
		p.forget(s)
	}
}

// Close ends the pool, its connections and its commands. When it returns
// nothing of the pool runs any more, except for streams that the API server was
// asked for and never answered: they end within 30 s.
func (p *Pool) Close() error {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.end()
	p.work.Wait()
	p.upgrader.close()
	return nil
}

// enter returns the pod's session, which may still be opening, and counts the
// caller among those that dial on it.
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

// cancelWait ends the wait of a caller that has given up.
func (p *Pool) cancelWait(t *waiter) {
	p.mu.Lock()
	waiting := p.slots.withdraw(t)
	p.mu.Unlock()
	if !waiting {
		p.leave(<-t.given, false, false)
	}
}

// leave ends a dial on a session. A session that is still opening and that
// nobody waits for any more is ended; one on which no dial succeeded is
// released.
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

// admit gives slots to waiting callers, in their order. The caller must hold
// mu.
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

// start begins a session. Its goroutine ends when the session and everything in
// it has ended.
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
