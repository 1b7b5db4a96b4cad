package live

import "sync"

// atOnce is how many requests an istiod is asked at a time.
const atOnce = 4

// A line is where the requests to one address wait for their turn, and where
// connections to it wait for the next one.
type line struct {
	one, few chan struct{}

	mu    sync.Mutex
	users int // who wait or ask
	conns map[int][]*conn
	times int   // how often it kept silent
	mute  error // of the last time
	slow  error // of an answer that came too slowly: no other is asked for, until forgiven
}

func newLine() *line {
	return &line{one: make(chan struct{}, 1), few: make(chan struct{}, atOnce), conns: map[int][]*conn{}}
}

// enter joins those who wait. It gives how often the address has kept silent
// until then.
func (l *line) enter() (since int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.users++
	return l.times
}

// hush notes that the address keeps silent.
func (l *line) hush(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.times++
	l.mute = err
}

// giveUp notes that the address is too slow.
func (l *line) giveUp(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.slow = err
}

// forgive has a slow address be asked again.
func (l *line) forgive() { l.giveUp(nil) }

// hushed gives the error of an address that has kept silent since, or that is
// too slow.
func (l *line) hushed(since int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.times == since {
		return l.slow
	}
	return l.mute
}

// leave closes what was kept when nobody is left. Who comes next waits until
// the release is over, so as not to lose to it what he was just given.
func (l *line) leave(release func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.users--; l.users > 0 {
		return
	}
	for _, conns := range l.conns {
		for _, c := range conns {
			c.Close()
		}
	}
	clear(l.conns)
	release()
}

// alone tells whether nobody else waits or asks.
func (l *line) alone() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.users == 1
}

// keep puts a connection by for the next request.
func (l *line) keep(port int, c *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns[port] = append(l.conns[port], c)
}

// kept gives a connection that was put by; nil when there is none.
func (l *line) kept(port int) *conn {
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
