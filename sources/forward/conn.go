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
	// errorGrace limits how long a connection that has ended waits for an error
	// message on its error stream.
	errorGrace = 2 * time.Second

	// frame is the largest number of bytes that are read or written at once.
	frame = 32 << 10
)

// A conn is one TCP connection to a pod. It consists of a stream for data and a
// stream for error messages. Received data is moved to a buffer at once,
// because an unread stream would block the other streams of the session.
type conn struct {
	session *session
	port    int
	errs    httpstream.Stream
	data    httpstream.Stream

	errsDone chan struct{} // closed when the error stream ends
	errsText error         // the text on the error stream; valid after errsDone is closed
	closed   chan struct{}
	once     sync.Once

	mu       sync.Mutex
	changed  sync.Cond // signals that received or err has changed
	received backlog
	pumped   bool  // true if pump has ended, so that nothing writes to received any more
	err      error // the reason why no more data will be received
}

func newConn(s *session, port int, errs, data httpstream.Stream) *conn {
	c := &conn{session: s, port: port, errs: errs, data: data, errsDone: make(chan struct{}), closed: make(chan struct{})}
	c.changed.L = &c.mu
	return c
}

// start starts the two readers of the connection. It returns false if the
// session has ended.
func (c *conn) start() bool {
	if !c.session.spawn(c.readErrors) {
		return false
	}
	c.session.conns.Add(1)
	if !c.session.spawn(c.pump) {
		c.Close()
		return false
	}
	return true
}

// readErrors reads the error stream until it ends.
func (c *conn) readErrors() {
	defer close(c.errsDone)
	c.errs.Close() // the client writes nothing to the error stream
	text, _ := io.ReadAll(io.LimitReader(c.errs, frame))
	c.errsText = streamError(c.port, string(text))
	if len(text) == frame {
		c.errs.Reset()
	}
}

// pump moves received data to the buffer.
func (c *conn) pump() {
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.pumped = true; c.err == net.ErrClosed {
			c.received.free()
		}
	}()
	for {
		in := c.room()
		n, err := c.data.Read(in)
		switch {
		case n > 0 && !c.keep(n):
			c.finish(&SlowReaderError{Port: c.port, Unread: c.session.o.Buffer})
			c.session.discard(c.data, c.errs)
			return
		case err != nil:
			c.finish(c.endReason(err))
			return
		}
	}
}

// room returns the space in the buffer to which the next bytes are read.
func (c *conn) room() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.received.room()
}

// keep adds the n bytes that were read into the space that room returned. It
// returns false if the reader lags behind by more than Options.Buffer.
func (c *conn) keep(n int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil { // the connection is closed, so the data will never be read
		return true
	}
	if c.received.size+n > c.session.o.Buffer {
		return false
	}
	c.received.add(n)
	c.changed.Broadcast()
	return true
}

func (c *conn) finish(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
	}
	c.changed.Broadcast()
}

// endReason returns the reason why the data ended. err itself is often only an
// EOF.
func (c *conn) endReason(err error) error {
	ctx, cancel := c.session.o.Timeout(context.Background(), errorGrace)
	defer cancel()
	select {
	case <-c.errsDone:
		if c.errsText != nil {
			return c.errsText
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
	for c.received.size == 0 && c.err == nil {
		c.changed.Wait()
	}
	if c.err == net.ErrClosed || c.received.size == 0 {
		return 0, c.err
	}
	return c.received.read(b), nil
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
		if err != nil { // the link is broken, and with it all its connections
			c.session.end()
			return n, LostError{}
		}
	}
	return n, nil
}

// Close ends the connection and unblocks all calls of Read and Write. It doesn't
// block.
func (c *conn) Close() error {
	c.once.Do(func() {
		close(c.closed)
		c.mu.Lock()
		if c.err = net.ErrClosed; c.pumped {
			c.received.free()
		}
		c.changed.Broadcast()
		c.mu.Unlock()
		c.session.conns.Add(-1)
		c.session.discard(c.data, c.errs)
	})
	return nil
}

func (c *conn) LocalAddr() net.Addr { return place("local") }

// RemoteAddr returns an address that consists of the pod's name and the port.
func (c *conn) RemoteAddr() net.Addr {
	return place(net.JoinHostPort(c.session.name.String(), strconv.Itoa(c.port)))
}

// SetDeadline returns an error unless t is zero, which means no deadline. The
// streams don't support deadlines.
func (c *conn) SetDeadline(t time.Time) error {
	if t.IsZero() {
		return nil
	}
	return os.ErrNoDeadline
}

func (c *conn) SetReadDeadline(t time.Time) error  { return c.SetDeadline(t) }
func (c *conn) SetWriteDeadline(t time.Time) error { return c.SetDeadline(t) }
