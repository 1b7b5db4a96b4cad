package forward

import (
	"encoding/binary"
	"io"
	"net/http"
	"sync"
)

// How much may wait in a stream: more isn't read off the wire, nor is anything
// behind it, until somebody takes it. Who waits for another stream takes nothing
// yet, and the answer about that one may be behind what he will be given.
const (
	maxWaiting = 128 << 10
	maxBefore  = 8 << 20
)

// A stream is one of a [mux].
type stream struct {
	mux     *mux
	number  uint32
	headers http.Header
	reply   chan error // whether it was taken; once
	once    sync.Once

	mu     sync.Mutex
	change sync.Cond
	come   backlog
	ended  bool // nothing comes any more
	reset  bool // nobody wants it
	closed bool // nothing goes any more
}

func newStream(m *mux, number uint32, headers http.Header) *stream {
	s := &stream{mux: m, number: number, headers: headers, reply: make(chan error, 1)}
	s.change.L = &s.mu
	return s
}

// answered says whether the stream was taken, if that isn't known yet.
func (s *stream) answered(err error) { s.once.Do(func() { s.reply <- err }) }

// wake has who waits for room look again.
func (s *stream) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.change.Broadcast()
}

// end says that nothing comes any more.
func (s *stream) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	s.change.Broadcast()
}

// room is where the next bytes go, once there may be more; nil when nobody
// wants them.
func (s *stream) room() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.reset && (s.come.size >= maxBefore || s.come.size >= maxWaiting && s.mux.asking.Load() == 0) {
		s.change.Wait()
	}
	if s.reset {
		return nil
	}
	return s.come.room()
}

// add says that n bytes came there.
func (s *stream) add(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.come.add(n)
	s.change.Broadcast()
}

// Read takes what came.
func (s *stream) Read(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.come.size == 0 && !s.ended && !s.reset {
		s.change.Wait()
	}
	if s.reset || s.come.size == 0 {
		return 0, io.EOF
	}
	full := s.come.size >= maxWaiting
	n := s.come.read(b)
	if full {
		s.change.Broadcast()
	}
	return n, nil
}

// Write sends b.
func (s *stream) Write(b []byte) (int, error) {
	if err := s.mux.send(append(dataFrame(s.number, 0, len(b)), b...)); err != nil {
		return 0, err
	}
	return len(b), nil
}

func dataFrame(number uint32, flags byte, size int) []byte {
	b := binary.BigEndian.AppendUint32(make([]byte, 0, headSize+size), number)
	return binary.BigEndian.AppendUint32(b, uint32(flags)<<24|uint32(size))
}

// Close says that nothing more is sent. What comes can still be read.
func (s *stream) Close() error {
	if s.lastly(false) {
		return s.mux.send(dataFrame(s.number, flagFin, 0))
	}
	return nil
}

// Reset ends the stream in both directions.
func (s *stream) Reset() error {
	s.mux.forget(s)
	if s.lastly(true) {
		return s.mux.send(controlFrame(typeReset, 0, s.number, statusCancel))
	}
	return nil
}

// lastly notes that nothing more is sent; reset: nor read. It gives false when
// the other end knows.
func (s *stream) lastly(reset bool) (tell bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tell = !s.closed
	s.closed = true
	s.reset = s.reset || reset
	s.change.Broadcast()
	return tell
}

// Headers are those that it was opened with.
func (s *stream) Headers() http.Header { return s.headers }

// Identifier is its number.
func (s *stream) Identifier() uint32 { return s.number }
