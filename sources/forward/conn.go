package forward

import (
	"context"
	"io"
	"net"
	"os"
	"strconv"
	"sync"
	"time"

	"k8s.io/streaming/pkg/httpstream"
)

const (
	// errorGrace is how long the end of a connection waits for what the other
	// end has to say about it.
	errorGrace = 2 * time.Second

	// frame is how much is read, and written, at most at once.
	frame = 32 << 10
)

// A conn is one TCP connection to a pod: a stream of data, and one of what went
// wrong. What arrives is pumped into a buffer at once: a stream that nobody
// reads would hold up the others of the session.
type conn struct {
	session *session
	port    int
	errs    httpstream.Stream
	data    httpstream.Stream

	said   chan struct{} // closed when the error stream has ended
	word   error         // what it said; to be read after said
	closed chan struct{}
	once   sync.Once

	mu   sync.Mutex
	more sync.Cond // come or err has changed
	come backlog
	err  error // why nothing more comes
}

func newConn(s *session, port int, errs, data httpstream.Stream) *conn {
	c := &conn{session: s, port: port, errs: errs, data: data, said: make(chan struct{}), closed: make(chan struct{})}
	c.more.L = &c.mu
	return c
}

// start has the connection's two readers run. It gives false when the session
// is over.
func (c *conn) start() bool {
	if !c.session.spawn(c.listen) {
		return false
	}
	c.session.conns.Add(1)
	if !c.session.spawn(c.pump) {
		c.Close()
		return false
	}
	return true
}

// listen takes what is said on the error stream.
func (c *conn) listen() {
	defer close(c.said)
	c.errs.Close() // nothing is ever written to it
	text, _ := io.ReadAll(io.LimitReader(c.errs, frame))
	c.word = spoken(c.port, string(text))
	if len(text) == frame {
		c.errs.Reset()
	}
}

// pump takes the data as it arrives.
func (c *conn) pump() {
	for {
		in := c.room()
		n, err := c.data.Read(in)
		switch {
		case n > 0 && !c.keep(n):
			c.finish(&SlowReaderError{Port: c.port, Unread: c.session.o.Buffer})
			c.session.discard(c.data, c.errs)
			return
		case err != nil:
			c.finish(c.why(err))
			return
		}
	}
}

// room is where what arrives goes.
func (c *conn) room() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.come.room()
}

// keep holds the n bytes that came there for the reader, unless it is too far
// behind.
func (c *conn) keep(n int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil { // closed: it is for nobody
		return true
	}
	if c.come.size+n > c.session.o.Buffer {
		return false
	}
	c.come.add(n)
	c.more.Broadcast()
	return true
}

func (c *conn) finish(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
	}
	c.more.Broadcast()
}

// why gives the cause of the data's end, which by itself is a bare EOF.
func (c *conn) why(err error) error {
	ctx, cancel := c.session.o.Timeout(context.Background(), errorGrace)
	defer cancel()
	select {
	case <-c.said:
		if c.word != nil {
			return c.word
		}
	case <-c.closed:
		return net.ErrClosed
	case <-ctx.Done():
	}
	if c.session.isLost() {
		return LostError{}
	}
	return err
}

func (c *conn) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.come.size == 0 && c.err == nil {
		c.more.Wait()
	}
	if c.err == net.ErrClosed || c.come.size == 0 {
		return 0, c.err
	}
	return c.come.read(b), nil
}

func (c *conn) Write(b []byte) (n int, err error) {
	for n < len(b) {
		select {
		case <-c.closed:
			return n, net.ErrClosed
		default:
		}
		m, err := c.data.Write(b[n:min(n+frame, len(b))])
		n += m
		if err != nil { // the wire is broken: it is the whole session's
			c.session.end()
			return n, LostError{}
		}
	}
	return n, nil
}

// Close ends the connection, and whoever waits on it. It doesn't wait itself.
func (c *conn) Close() error {
	c.once.Do(func() {
		close(c.closed)
		c.mu.Lock()
		c.err, c.come = net.ErrClosed, backlog{}
		c.more.Broadcast()
		c.mu.Unlock()
		c.session.conns.Add(-1)
		c.session.discard(c.data, c.errs)
	})
	return nil
}

func (c *conn) LocalAddr() net.Addr { return place("local") }

// RemoteAddr names the pod and its port.
func (c *conn) RemoteAddr() net.Addr {
	return place(net.JoinHostPort(c.session.name.String(), strconv.Itoa(c.port)))
}

// A stream has no deadlines of its own. The zero time asks for none.
func (c *conn) SetDeadline(t time.Time) error {
	if t.IsZero() {
		return nil
	}
	return os.ErrNoDeadline
}

func (c *conn) SetReadDeadline(t time.Time) error  { return c.SetDeadline(t) }
func (c *conn) SetWriteDeadline(t time.Time) error { return c.SetDeadline(t) }
