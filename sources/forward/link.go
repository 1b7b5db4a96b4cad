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
	// pingPeriod is the time between two pings of a session. The pings keep
	// load balancers from closing an idle session, and detect that a session is
	// lost.
	pingPeriod = 5 * time.Second

	// closeTimeout limits how long a session may take to send its last frame
	// (GOAWAY).
	closeTimeout = time.Second
)

// A link is an upgraded connection that carries streams.
type link struct {
	conn *mux
	wire *wire
}

func newLink(w *wire, timeout Timeout) *link {
	return &link{conn: newMux(w, timeout, pingPeriod), wire: w}
}

// lost returns a channel that is closed when the link ends.
func (l *link) lost() <-chan bool { return l.conn.CloseChan() }

// close ends the link. It announces this to the other end, unless that end has
// stopped reading.
func (l *link) close(timeout Timeout) {
	ctx, cancel := timeout(context.Background(), closeTimeout)
	defer cancel()
	defer context.AfterFunc(ctx, l.wire.line.close)()
	l.conn.Close() // an error means that the other end closed the link first
	l.wire.Close()
	late, stop := timeout(context.Background(), 2*closeTimeout)
	defer stop()
	select {
	case <-l.lost():
	case <-late.Done(): // the link is blocked, because a stream was opened after its caller had given up
	}
}

// errRefusedStream reports that the other end refused a stream.
var errRefusedStream = errors.New("stream refused")

// streams opens one stream for each element of headers, all at once to save
// round trips. Opening a stream can't be cancelled and may take 30 s, so
// streams returns early if ctx or the link ends. If the other end refuses some
// streams, it returns errRefusedStream together with the accepted streams.
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
			case all <- made{i, stream, streamFailure(err)}:
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

// streamFailure returns errRefusedStream if err means that the other end
// refused a stream. It returns any other error unchanged, which means that the
// link is broken.
func streamFailure(err error) error {
	switch {
	case err == nil, err == errRefusedStream:
		return err
	}
	return LostError{}
}

// discard resets streams. Streams that are nil are skipped. It may block while
// the link is blocked.
func (l *link) discard(streams ...httpstream.Stream) {
	for _, s := range streams {
		if s != nil {
			s.Reset()
			l.conn.RemoveStreams(s)
		}
	}
}

// A wire transports the frames of SPDY. It is either the body of an upgraded
// response or a WebSocket.
type wire struct {
	io.ReadWriteCloser
	line *line
	once sync.Once
}

// Close always returns nil. If it returned an error, the SPDY code would block
// until the error is read.
func (w *wire) Close() error {
	w.once.Do(func() { w.ReadWriteCloser.Close() })
	w.line.close()
	return nil
}

// A line is the network connection of a request. Closing it unblocks all
// goroutines that wait for the connection.
type line struct {
	mu     sync.Mutex
	conn   net.Conn
	closed bool
}

// watch returns a context for an HTTP request. When the request gets its connection,
// l.conn is set to it.
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

// A place is a net.Addr that consists of a name only.
type place string

// Network implements net.Addr.
func (place) Network() string  { return "portforward" }
func (p place) String() string { return string(p) }
