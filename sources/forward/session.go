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

// A session is the upgraded connection to one pod, from the wish for it to its
// end.
type session struct {
	name podName
	o    Options
	ctx  context.Context // ends when the session is to end
	end  context.CancelFunc

	ready chan struct{} // closed when link or err is there
	link  *link
	err   error

	next  atomic.Int64 // numbers the connections
	conns atomic.Int64 // that are open

	// The pool's lock guards these.
	dialing  int  // who dials on it
	inUse    bool // since the last release
	released int64

	mu   sync.Mutex
	over bool // nothing more may join work
	work sync.WaitGroup
}

// run opens the session, waits for its end, and ends what belongs to it.
func (s *session) run(d *door) {
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

// opened tells whether the session stands, or has failed to.
func (s *session) opened() bool {
	select {
	case <-s.ready:
		return true
	default:
		return false
	}
}

// isLost tells whether an opened session has ended or is about to.
func (s *session) isLost() bool {
	select {
	case <-s.link.lost():
		return true
	default:
		return s.ctx.Err() != nil
	}
}

// before tells which of two released sessions is closed first.
func (s *session) before(t *session) bool {
	if idle := s.conns.Load() == 0; idle != (t.conns.Load() == 0) {
		return idle
	}
	return s.released < t.released
}

// spawn runs f as a part of the session. It gives false when it is over.
func (s *session) spawn(f func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return false
	}
	s.work.Go(f)
	return true
}

// dial opens a connection: two streams, which the other end pairs by their
// number.
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

// refused says why the other end did not want a connection. It may be quick to
// reset the data's stream, and say why on the other one.
func (s *session) refused(ctx context.Context, port int, errs httpstream.Stream) error {
	c := newConn(s, port, errs, nil)
	if errs != nil && s.spawn(c.listen) {
		limited, cancel := s.o.Timeout(ctx, errorGrace)
		defer cancel()
		select {
		case <-c.said:
			if c.word != nil {
				return c.word
			}
		case <-limited.Done():
		}
	}
	return &ForwardError{Port: port, Text: errRefusedStream.Error()}
}

// discard ends streams without waiting for the wire, which may be stuck: the
// session's end frees it.
func (s *session) discard(streams ...httpstream.Stream) {
	s.spawn(func() { s.link.discard(streams...) })
}
