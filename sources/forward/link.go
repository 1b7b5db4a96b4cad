package forward

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"

	"k8s.io/streaming/pkg/httpstream"
)

const (
	// pingPeriod keeps balancers on the way from closing an idle session, and
	// is how soon the loss of one is noticed while nothing is said.
	pingPeriod = 5 * time.Second

	// farewell is how long the polite end of a session may take.
	farewell = time.Second
)

// A link is an upgraded connection that carries streams.
type link struct {
	conn *mux
	wire *wire
}

func newLink(w *wire, timeout Timeout) *link {
	return &link{conn: newMux(w, timeout, pingPeriod), wire: w}
}

// lost is closed when the link has ended.
func (l *link) lost() <-chan bool { return l.conn.CloseChan() }

// close ends the link: politely, unless the other end doesn't listen.
func (l *link) close(timeout Timeout) {
	ctx, cancel := timeout(context.Background(), farewell)
	defer cancel()
	defer context.AfterFunc(ctx, l.wire.line.close)()
	l.conn.Close() // fails when the other end was first
	l.wire.Close()
	late, stop := timeout(context.Background(), 2*farewell)
	defer stop()
	select {
	case <-l.lost():
	case <-late.Done(): // stuck on a stream that came when it was given up
	}
}

// errRefusedStream is a stream that the other end did not want.
var errRefusedStream = errors.New("stream refused")

// streams opens a stream for each of the headers, all at once: that saves the
// round trips. Opening one takes no context and may take half a minute, so it
// isn't waited for once ctx or the link has ended. With errRefusedStream come
// those streams that were not refused.
func (l *link) streams(ctx context.Context, headers ...http.Header) ([]httpstream.Stream, error) {
	type made struct {
		which  int
		stream httpstream.Stream
		err    error
	}
	left, all := make(chan struct{}), make(chan made)
	defer close(left)
	for i, h := range headers {
		go func() {
			stream, err := l.conn.CreateStream(h)
			select {
			case all <- made{i, stream, notMade(err)}:
			case <-left:
				l.discard(stream)
			}
		}()
	}
	streams := make([]httpstream.Stream, len(headers))
	var refused, err error
	for range headers {
		select {
		case m := <-all:
			streams[m.which], err = m.stream, m.err
		case <-ctx.Done():
			err = context.Cause(ctx)
		case <-l.lost():
			err = LostError{}
		}
		switch err {
		case nil:
		case errRefusedStream:
			refused = err
		default:
			go l.discard(streams...)
			return nil, err
		}
	}
	return streams, refused
}

// notMade says why a stream could not be opened: a reset is the other end's
// word about this one; all else is that nothing gets through any more.
func notMade(err error) error {
	switch {
	case err == nil, err == errRefusedStream:
		return err
	}
	return LostError{}
}

// discard ends streams; some may be nil. It may wait for the wire.
func (l *link) discard(streams ...httpstream.Stream) {
	for _, s := range streams {
		if s != nil {
			s.Reset()
			l.conn.RemoveStreams(s)
		}
	}
}

// A wire is what SPDY's frames go over: the body of an upgraded response, or
// a WebSocket.
type wire struct {
	io.ReadWriteCloser
	line *line
	once sync.Once
}

// Close never fails: who hears of a failure waits for somebody to take it.
func (w *wire) Close() error {
	w.once.Do(func() { w.ReadWriteCloser.Close() })
	w.line.close()
	return nil
}

// A line is the network connection that a request went out on. To close it
// ends, at once, what waits on it.
type line struct {
	mu     sync.Mutex
	conn   net.Conn
	closed bool
}

// watch gives a context for the request whose connection the line is.
func (l *line) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { l.set(i.Conn) }})
}

func (l *line) set(conn net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conn = conn
	if l.closed {
		conn.Close()
	}
}

func (l *line) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	if l.conn != nil {
		l.conn.Close()
	}
}

// A place is an address that has only a name.
type place string

// Network is the first half of net.Addr.
func (place) Network() string  { return "portforward" }
func (p place) String() string { return string(p) }
