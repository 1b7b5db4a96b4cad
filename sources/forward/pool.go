// Package forward reaches into pods through the Kubernetes API server: it dials
// their TCP ports (port-forward, without a listener of its own) and runs
// commands in them. It knows sessions, streams and what refuses them; it knows
// nothing of what is said over them, of meshes or of proxies.
//
// One upgraded session goes to each pod and carries any number of connections.
// It is a WebSocket, or SPDY where WebSockets are refused. The other end has no
// flow control of a connection's own: what arrives is taken at once, so a
// reader that lags never holds up the others of its session.
package forward

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"k8s.io/client-go/rest"
)

// Timeout makes a context that ends after d. It is context.WithTimeout where a
// clock may be read.
type Timeout func(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc)

// Options says how a pool works. Timeout must be given; the rest may be zero.
type Options struct {
	Timeout Timeout

	// Sessions is how many pods may have a session at once; 0: 24. One takes
	// about a megabyte.
	Sessions int

	// UpgradeTimeout is how long a session may take until it is set up; 0: 5 s.
	UpgradeTimeout time.Duration

	// Buffer is how many bytes are kept for a connection whose reader lags.
	// One that lags more is cut off, with a SlowReaderError; 0: 64 MiB.
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
	o    Options
	door *door
	life context.Context // ends with the pool
	end  context.CancelFunc
	work sync.WaitGroup // sessions and commands under way

	mu     sync.Mutex
	closed bool
	places places
}

// New makes a pool for the cluster of a configuration, which is copied. It asks
// nothing yet.
func New(cfg *rest.Config, o Options) (*Pool, error) {
	if o.Timeout == nil {
		return nil, errors.New("forward: no Timeout given")
	}
	o = o.withDefaults()
	d, err := newDoor(cfg, o)
	if err != nil {
		return nil, err
	}
	p := &Pool{o: o, door: d, places: places{limit: o.Sessions, held: map[podName]*session{}}}
	p.life, p.end = context.WithCancel(context.Background())
	return p, nil
}

// DialContext opens a TCP connection to a port of a pod, over the pod's session
// if there is one. It waits for a place while Options.Sessions other pods are
// in use. The pod is in use from now until Release.
//
// A port that refuses, or that can't be reached, mostly shows at the first
// Read, as a RefusedError or a ForwardError. What the API server refuses
// is an API status: apierrors.IsForbidden, IsNotFound, … hold for the error.
// Deadlines can't be set on the connection; closing it ends its Read and Write.
//
// ctx should be the request's. That of an http.Transport's own dials is not: it
// outlives the request, and a dial that is done after Release takes a place
// that nobody gives back.
func (p *Pool) DialContext(ctx context.Context, namespace, pod string, port int) (net.Conn, error) {
	name, err := named(namespace, pod)
	if err != nil {
		return nil, err
	}
	for again := false; ; again = true {
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
		case again || !lost || ctx.Err() != nil:
			return nil, err
		}
	}
}

// Release says that the requests at a pod are done. Its session is kept for
// the next as long as no other pod needs the place.
func (p *Pool) Release(namespace, pod string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.places.held[podName{namespace, pod}]; s != nil {
		p.places.release(s)
		p.admit()
	}
}

// Drop ends the session to a pod, with all its connections: after a request
// that was not answered by a byte, which may be the session's fault. The next
// DialContext opens another.
func (p *Pool) Drop(namespace, pod string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.places.held[podName{namespace, pod}]; s != nil {
		p.forget(s)
	}
}

// Close ends the pool, its connections and its commands. Nothing of it runs
// any more when it returns, but for streams that the API server was asked for
// and never answered: they end within half a minute.
func (p *Pool) Close() error {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.end()
	p.work.Wait()
	p.door.close()
	return nil
}

// enter gives the pod's session, with a new one to one that is being opened
// already, and counts the caller among those who dial on it.
func (p *Pool) enter(ctx context.Context, name podName) (*session, error) {
	t := &ticket{name: name, given: make(chan *session, 1)}
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, net.ErrClosed
	}
	p.places.queue = append(p.places.queue, t)
	p.admit()
	p.mu.Unlock()
	select {
	case s := <-t.given:
		return s, nil
	case <-ctx.Done():
		p.giveBack(t)
		return nil, context.Cause(ctx)
	case <-p.life.Done():
		p.giveBack(t)
		return nil, net.ErrClosed
	}
}

// giveBack ends a ticket that is waited for no more.
func (p *Pool) giveBack(t *ticket) {
	p.mu.Lock()
	waiting := p.places.withdraw(t)
	p.mu.Unlock()
	if !waiting {
		p.leave(<-t.given, false, false)
	}
}

// leave ends a dial on a session. A session that nobody waits for any more
// isn't opened to the end, and one that no dial succeeded on isn't in use.
func (p *Pool) leave(s *session, ok, lost bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s.dialing--
	switch {
	case lost, s.dialing == 0 && !s.opened():
		p.forget(s)
	case s.dialing == 0 && !ok && s.conns.Load() == 0:
		p.places.release(s)
		p.admit()
	}
}

// admit gives places to those who wait, in their order.
func (p *Pool) admit() {
	if !p.closed {
		p.places.admit(p.start)
	}
}

// forget takes a session's place away and has it end.
func (p *Pool) forget(s *session) {
	s.end()
	p.places.vacate(s)
	p.admit()
}

// start begins a session. Its goroutine ends when the session has ended, with
// all that belongs to it.
func (p *Pool) start(name podName) *session {
	s := &session{name: name, o: p.o, ready: make(chan struct{})}
	s.ctx, s.end = context.WithCancel(p.life)
	p.work.Go(func() {
		s.run(p.door)
		p.mu.Lock()
		defer p.mu.Unlock()
		p.forget(s)
	})
	return s
}
