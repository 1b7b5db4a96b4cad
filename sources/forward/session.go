package forward

import (
	"context"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/streaming/pkg/httpstream"
)

// A session is the upgraded connection to one pod, from the first request for
// it until its end.
type session struct {
	name podName
	o    Options
	ctx  context.Context // canceled when the session ends; canceling it ends the session
	end  context.CancelFunc

	ready chan struct{} // closed when the session was opened or has failed to open
	link  *link
	err   error

	next  atomic.Int64 // the number in the headers of the last connection that was opened
	conns atomic.Int64 // the number of open connections

	// The pool's lock guards the following fields.
	dialing  int  // the number of dials that are in progress on the session
	inUse    bool // true if the session is in use: set when a caller gets it, cleared when it is released
	paused   bool // true if the session doesn't count against the limit of sessions
	released int64

	mu   sync.Mutex
	over bool // true if no more goroutines may be started
	work sync.WaitGroup
}

// run opens the session, waits until it ends, and then ends all its connections
// and goroutines.
func (s *session) run(d *upgrader) {
	s.link, s.err = d.open(s.ctx, s.name)
	close(s.ready)
	if s.err != nil {
		return
	}
	select {
	case <-s.link.lost():
	case <-s.ctx.Done():
	}
	s.link.close(s.o.Timeout)
	s.mu.Lock()
	s.over = true
	s.mu.Unlock()
	s.work.Wait()
}

// opened reports whether the session is open or has failed to open.
func (s *session) opened() bool {
	select {
	case <-s.ready:
		return true
	default:
		return false
	}
}

// isLost reports whether an opened session has ended or is about to end.
func (s *session) isLost() bool {
	select {
	case <-s.link.lost():
		return true
	default:
		return s.ctx.Err() != nil
	}
}

// before reports whether s is closed before t if both are released. Idle
// sessions are closed first, and the one that was released first is the first
// of them.
func (s *session) before(t *session) bool {
	if idle := s.conns.Load() == 0; idle != (t.conns.Load() == 0) {
		return idle
	}
	return s.released < t.released
}

// spawn runs f in a goroutine that belongs to the session. It returns false if
// the session has ended.
func (s *session) spawn(f func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return false
	}
	s.work.Go(f)
	return true
}

// dial opens a connection. A connection has two streams, which the other end
// pairs by a number in their headers.
func (s *session) dial(ctx context.Context, port int) (net.Conn, error) {
	select {
	case <-s.ready:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if s.err != nil {
		return nil, s.err
	}
	number := strconv.FormatInt(s.next.Add(1), 10)
	header := func(kind string) http.Header {
		h := http.Header{}
		h.Set(corev1.StreamType, kind)
		h.Set(corev1.PortHeader, strconv.Itoa(port))
		h.Set(corev1.PortForwardRequestIDHeader, number)
		return h
	}
	streams, err := s.link.streams(ctx, header(corev1.StreamTypeError), header(corev1.StreamTypeData))
	switch {
	case err == errRefusedStream:
		defer s.discard(streams...)
		return nil, s.refused(ctx, port, streams[0])
	case err != nil:
		return nil, err
	}
	c := newConn(s, port, streams[0], streams[1])
	if !c.start() {
		s.link.discard(streams...)
		return nil, LostError{}
	}
	return c, nil
}

// refused returns the reason why the other end refused a connection. The other
// end may reset the data stream before it sends the reason on the error stream.
func (s *session) refused(ctx context.Context, port int, errs httpstream.Stream) error {
	c := newConn(s, port, errs, nil)
	if errs != nil && s.spawn(c.readErrors) {
		limited, cancel := s.o.Timeout(ctx, errorGrace)
		defer cancel()
		select {
		case <-c.errsDone:
			if c.errsText != nil {
				return c.errsText
			}
		case <-limited.Done():
		}
	}
	return &ForwardError{Port: port, Text: errRefusedStream.Error()}
}

// discard resets streams without waiting for the link, which may be blocked
// until the session ends.
func (s *session) discard(streams ...httpstream.Stream) {
	s.spawn(func() { s.link.discard(streams...) })
}
