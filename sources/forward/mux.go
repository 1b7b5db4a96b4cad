package forward

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/streaming/pkg/httpstream"
)

// A mux is the client side of SPDY/3, as far as port-forward and exec use it
// (SPDY draft 3.1, sections 2.2 and 2.6). Like Kubernetes' servers, it ignores
// window updates, settings and headers frames. It reads received data directly
// into the buffer of its stream, and sends headers uncompressed. The package
// comment explains why the library isn't used.
type mux struct {
	wire    io.ReadWriteCloser
	timeout Timeout
	in      *bufio.Reader
	done    chan bool    // closed when no more frames will be read
	answers atomic.Int32 // the number of replies that wait to be written
	opening atomic.Int32 // the number of streams that wait to be accepted

	writing sync.Mutex // held while a frame is written
	begun   bool       // true if the header of the compressed stream was sent
	next    uint32     // the id of the next stream

	mu      sync.Mutex
	streams map[uint32]*stream
	ended   bool
}

// These are the types of control frames, and the flag of a stream's last frame.
const (
	typeSynStream = 1
	typeSynReply  = 2
	typeReset     = 3
	typePing      = 6
	typeGoAway    = 7

	flagFin = 1

	statusRefused = 3
	statusCancel  = 5
)

const (
	control     = 0x80  // this bit marks a control frame
	version     = 3     // the version of SPDY that Kubernetes uses
	headSize    = 8     // the size of a frame's header in bytes
	inSize      = 4096  // larger payloads are read directly into the stream's buffer
	maxHeaders  = 65535 // the largest number of bytes in a stored block of zlib
	spdyVersion = "SPDY/3"
	mostAnswers = 16

	// replyTimeout limits how long the other end may take to accept a stream.
	replyTimeout = 30 * time.Second
)

// newMux returns a mux that reads frames and sends a ping once per period.
func newMux(wire io.ReadWriteCloser, timeout Timeout, period time.Duration) *mux {
	m := &mux{wire: wire, timeout: timeout, in: bufio.NewReaderSize(wire, inSize), done: make(chan bool), next: 1, streams: map[uint32]*stream{}}
	go m.serve()
	go m.ping(period)
	return m
}

// CloseChan returns a channel that is closed when no more frames will be read.
func (m *mux) CloseChan() <-chan bool { return m.done }

// serve reads frames until the wire ends or the other end announces that it
// closes the session.
func (m *mux) serve() {
	for m.frame() == nil {
	}
	m.mu.Lock()
	m.ended = true
	left := slices.Collect(maps.Values(m.streams))
	clear(m.streams)
	m.mu.Unlock()
	close(m.done)
	for _, s := range left {
		s.answered(LostError{})
		s.end()
	}
}

// errGoneAway reports that the other end closes the session.
var errGoneAway = errors.New("gone away")

func (m *mux) frame() error {
	var head [headSize]byte
	if _, err := io.ReadFull(m.in, head[:]); err != nil {
		return err
	}
	number, flags, size := binary.BigEndian.Uint32(head[:]), head[4], int(binary.BigEndian.Uint32(head[4:])&0xffffff)
	if head[0]&control == 0 {
		return m.data(number, flags, size)
	}
	if number>>16 != control<<8|version {
		return errors.New("no frame of " + spdyVersion)
	}
	var word [4]byte
	some := word[:min(size, len(word))]
	if _, err := io.ReadFull(m.in, some); err != nil {
		return err
	}
	if err := m.skip(size - len(some)); err != nil {
		return err
	}
	switch kind := number & 0xffff; {
	case kind == typeGoAway:
		return errGoneAway
	case len(some) == len(word):
		m.control(kind, flags, binary.BigEndian.Uint32(some))
	}
	return nil
}

// skip reads and drops bytes that are not needed.
func (m *mux) skip(size int) error {
	_, err := m.in.Discard(size)
	return err
}

// control handles a control frame about a stream, or a ping.
func (m *mux) control(kind uint32, flags byte, number uint32) {
	s := m.stream(number)
	switch {
	case kind == typePing && number%2 == 0: // the other end has sent a ping and expects a reply
		m.answer(controlFrame(typePing, 0, number))
	case kind == typeSynStream:
		m.answer(controlFrame(typeReset, 0, number, statusRefused))
	case s == nil:
	case kind == typeSynReply:
		s.answered(nil)
		if flags&flagFin != 0 {
			s.end()
		}
	case kind == typeReset:
		m.forget(s)
		s.answered(errRefusedStream)
		s.endWriting(false)
		s.end()
	}
}

// data moves the payload of a data frame to its stream.
func (m *mux) data(number uint32, flags byte, size int) error {
	s := m.stream(number)
	for size > 0 && s != nil {
		room := s.room()
		if room == nil { // the stream was reset, so its data is dropped
			break
		}
		n, err := m.in.Read(room[:min(len(room), size)])
		s.add(n)
		if size -= n; err != nil {
			return err
		}
	}
	if err := m.skip(size); err != nil {
		return err
	}
	if s != nil && flags&flagFin != 0 {
		s.end()
	}
	return nil
}

func (m *mux) stream(number uint32) *stream {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.streams[number]
}

func (m *mux) forget(s *stream) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.streams, s.number)
}

// ping sends a ping once per period, so that load balancers don't close an idle
// connection.
func (m *mux) ping(period time.Duration) {
	for number := uint32(1); ; number += 2 {
		ctx, cancel := m.timeout(context.Background(), period)
		select {
		case <-m.done:
		case <-ctx.Done():
		}
		cancel()
		select {
		case <-m.done:
			return
		default:
		}
		// errors are ignored, because serve detects a broken wire
		_ = m.send(controlFrame(typePing, 0, number&0x7fffffff))
	}
}

// CreateStream opens a stream with the given headers and waits until the other
// end has accepted it. If the other end refuses the stream, the error is
// errRefusedStream.
func (m *mux) CreateStream(headers http.Header) (httpstream.Stream, error) {
	m.opening.Add(1)
	defer m.opening.Add(-1)
	s, err := m.open(headers)
	if err != nil {
		return nil, err
	}
	ctx, cancel := m.timeout(context.Background(), replyTimeout)
	defer cancel()
	select {
	case err = <-s.reply:
	case <-ctx.Done():
		err = LostError{}
	}
	if err != nil {
		m.forget(s)
		return nil, err
	}
	return s, nil
}

// open sends the request that opens a stream. Stream ids must be sent in
// ascending order.
func (m *mux) open(headers http.Header) (*stream, error) {
	m.writing.Lock()
	defer m.writing.Unlock()
	s := newStream(m, m.next, headers)
	m.next += 2
	m.mu.Lock()
	if m.ended {
		m.mu.Unlock()
		return nil, LostError{}
	}
	others := slices.Collect(maps.Values(m.streams))
	m.streams[s.number] = s
	m.mu.Unlock()
	for _, o := range others {
		o.wake()
	}
	block := headerBlock(headers)
	if len(block) > maxHeaders {
		return nil, errors.New("headers of more than 64 KB")
	}
	b := controlFrame(typeSynStream, 0, s.number, 0)
	b = append(b, 0, 0) // the stream's priority and credential slot
	b = m.deflate(b, block)
	binary.BigEndian.PutUint32(b[4:], uint32(len(b)-headSize))
	_, err := m.wire.Write(b)
	return s, err
}

// send writes a frame.
func (m *mux) send(frame []byte) error {
	m.writing.Lock()
	defer m.writing.Unlock()
	_, err := m.wire.Write(frame)
	return err
}

// answer sends a reply to the other end. It doesn't block the goroutine that
// reads: if too many replies are waiting already, it drops this one.
func (m *mux) answer(frame []byte) {
	if m.answers.Add(1) > mostAnswers {
		m.answers.Add(-1)
		return
	}
	go func() {
		defer m.answers.Add(-1)
		_ = m.send(frame) // errors are ignored, because serve detects a broken wire
	}()
}

// RemoveStreams removes streams that were reset.
func (m *mux) RemoveStreams(streams ...httpstream.Stream) {
	for _, s := range streams {
		if s, ok := s.(*stream); ok && s != nil {
			m.forget(s)
		}
	}
}

// Close resets all streams and tells the other end that the session is closed.
func (m *mux) Close() error {
	m.mu.Lock()
	left := slices.Collect(maps.Values(m.streams))
	m.mu.Unlock()
	for _, s := range left {
		s.Reset()
	}
	return m.send(controlFrame(typeGoAway, 0, 0, 0))
}

// controlFrame returns a control frame that contains the given words.
func controlFrame(kind, flags byte, words ...uint32) []byte {
	b := []byte{control, version, 0, kind, flags, 0, 0, byte(4 * len(words))}
	for _, w := range words {
		b = binary.BigEndian.AppendUint32(b, w)
	}
	return b
}

// headerBlock encodes headers in SPDY's format (section 2.6.10).
func headerBlock(headers http.Header) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(headers)))
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		for _, text := range []string{strings.ToLower(name), strings.Join(headers[name], "\x00")} {
			b = append(binary.BigEndian.AppendUint32(b, uint32(len(text))), text...)
		}
	}
	return b
}

// dictionary is the checksum of SPDY/3's dictionary for header compression.
// Uncompressed headers don't need the dictionary itself.
const dictionary = 0xe3c6a7c2

// deflate appends a header block in zlib's format: a stored block, then an
// empty block that flushes it (RFC 1950 and 1951). All header blocks form one
// zlib stream.
func (m *mux) deflate(b, block []byte) []byte {
	if !m.begun {
		m.begun = true
		b = binary.BigEndian.AppendUint32(append(b, 0x78, 0x20), dictionary)
	}
	size := uint16(len(block))
	b = binary.LittleEndian.AppendUint16(append(b, 0), size)
	b = binary.LittleEndian.AppendUint16(b, ^size)
	return append(append(b, block...), 0, 0, 0, 0xff, 0xff)
}
