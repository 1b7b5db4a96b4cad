package live

import "sync"

// maxParallel is the maximum number of requests that an istiod gets at the same
// time.
const maxParallel = 4

// A queue has the requests that wait for one address, and the idle connections
// to that address.
type queue struct {
	one, few chan struct{}

	mu    sync.Mutex
	users int // the number of requests that wait or are in progress
	conns map[int][]*conn
	times int   // the number of requests that got not a single byte of a response
	mute  error // the error of the last request that got no response
	slow  error // the error for a response that was too slow; while it is set, no requests are sent
}

func newQueue() *queue {
	return &queue{one: make(chan struct{}, 1), few: make(chan struct{}, maxParallel), conns: map[int][]*conn{}}
}

// enter joins the queue. It returns the number of requests to the address that
// have got no response so far.
func (l *queue) enter() (since int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.users++
	return l.times
}

// noteMute records that a request to the address got no response.
func (l *queue) noteMute(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.times++
	l.mute = err
}

// markSlow records that the address is too slow.
func (l *queue) markSlow(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.slow = err
}

// clearSlow allows requests to a slow address again.
func (l *queue) clearSlow() { l.markSlow(nil) }

// errorSince returns an error if a request got no response since the caller
// joined the queue, or if the address is too slow. since is the result of enter.
func (l *queue) errorSince(since int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.times == since {
		return l.slow
	}
	return l.mute
}

// leave leaves the queue. If the queue is then empty, it closes the idle
// connections and releases the address. It holds the lock during this, so that
// the next request doesn't get a connection that is about to be released.
func (l *queue) leave(release func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.users--; l.users > 0 {
		return
	}
	for _, conns := range l.conns {
		for _, c := range conns {
			c.end()
		}
	}
	clear(l.conns)
	release()
}

// alone reports whether no other request waits or is in progress.
func (l *queue) alone() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.users == 1
}

// keep stores an idle connection for the next request.
func (l *queue) keep(port int, c *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns[port] = append(l.conns[port], c)
}

// kept returns an idle connection to the port. It returns nil if there is none.
func (l *queue) kept(port int) *conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	conns := l.conns[port]
	if len(conns) == 0 {
		return nil
	}
	c := conns[len(conns)-1]
	l.conns[port] = conns[:len(conns)-1]
	return c
}
