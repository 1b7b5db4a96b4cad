package forward

import (
	"encoding/binary"
	"io"
	"net/http"
	"sync"
)

// These constants limit how many received bytes may wait in a stream to be read.
// Above the limit, the mux reads nothing from the wire until the stream is read.
// While another stream is being opened, the second limit applies, because the
// reply to the opening may arrive after the data of streams that aren't read yet.
const (
	maxWaiting = 128 << 10
	maxBefore  = 8 << 20
)

// A stream is one stream of a [mux].
type stream struct {
	mux     *mux
	number  uint32
	headers http.Header
	reply   chan error // receives nil if the other end accepted the stream, and an error otherwise; sent only once
	once    sync.Once

	mu       sync.Mutex
	change   sync.Cond
	received backlog
	filling  bool // true while the mux writes to the space that room returned
	ended    bool // true if no more data will be received
	reset    bool // true if the stream was reset and received data is dropped
	closed   bool // true if no more data will be sent
}

func newStream(m *mux, number uint32, headers http.Header) *stream {
	s := &stream{mux: m, number: number, headers: headers, reply: make(chan error, 1)}
	s.change.L = &s.mu
	return s
}

// answered records whether the other end accepted the stream. Only the first call
// has an effect.
func (s *stream) answered(err error) { s.once.Do(func() { s.reply <- err }) }

// wake wakes the goroutines that wait for space, so that they check again.
func (s *stream) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.change.Broadcast()
}

// end records that the other end will send no more data.
func (s *stream) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	s.change.Broadcast()
}

// room waits until there is space for the next bytes, and returns the space. It
// returns nil if the stream was reset.
func (s *stream) room() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.reset && (s.received.size >= maxBefore || s.received.size >= maxWaiting && s.mux.opening.Load() == 0) {
		s.change.Wait()
	}
	if s.reset {
		return nil
	}
	s.filling = true
	return s.received.room()
}

// add adds the n bytes that were written to the space that room returned.
func (s *stream) add(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.received.add(n)
	s.filling = false
	s.change.Broadcast()
}

// Read reads received data into b. It blocks until there is data or the stream has
// ended.
func (s *stream) Read(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.received.size == 0 && !s.ended && !s.reset {
		s.change.Wait()
	}
	if s.reset || s.received.size == 0 {
		if !s.filling {
			s.received.free()
		}
		return 0, io.EOF
	}
	full := s.received.size >= maxWaiting
	n := s.received.read(b)
	if full {
		s.change.Broadcast()
	}
	return n, nil
}

// Write sends b to the other end.
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

// Close tells the other end that no more data will be sent. Data can still be
// received.
func (s *stream) Close() error {
	if s.endWriting(false) {
		return s.mux.send(dataFrame(s.number, flagFin, 0))
	}
	return nil
}

// Reset ends the stream in both directions.
func (s *stream) Reset() error {
	s.mux.forget(s)
	if s.endWriting(true) {
		return s.mux.send(controlFrame(typeReset, 0, s.number, statusCancel))
	}
	return nil
}

// endWriting records that no more data will be sent and, if reset is set, that
// received data will be dropped. It reports whether this is the first such call,
// after which the other end has to be notified.
func (s *stream) endWriting(reset bool) (first bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	first = !s.closed
	s.closed = true
	s.reset = s.reset || reset
	s.change.Broadcast()
	return first
}

// Headers returns the headers with which the stream was opened.
func (s *stream) Headers() http.Header { return s.headers }

// Identifier returns the id of the stream.
func (s *stream) Identifier() uint32 { return s.number }
