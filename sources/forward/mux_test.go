package forward

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"
)

// between returns a mux that is connected to the SPDY server of Kubernetes' own
// library. handle is called for each stream that the mux opens.
func between(t *testing.T, handle func(s httpstream.Stream) error) (*mux, httpstream.Connection) {
	t.Helper()
	ours, theirs := net.Pipe()
	server, err := spdy.NewServerConnectionWithPings(theirs, func(s httpstream.Stream, _ <-chan struct{}) error { return handle(s) }, 3*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	m := newMux(ours, context.WithTimeout, 2*time.Millisecond)
	t.Cleanup(func() {
		ours.Close()
		theirs.Close()
		<-m.done
		<-server.CloseChan()
	})
	return m, server
}

func header(kv ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(kv); i += 2 {
		h.Add(kv[i], kv[i+1])
	}
	return h
}

// TestMuxEchoes checks that many concurrent streams carry data in both
// directions and keep their headers, while both ends send pings.
func TestMuxEchoes(t *testing.T) {
	m, _ := between(t, func(s httpstream.Stream) error {
		go func() {
			io.WriteString(s, s.Headers().Get("Which")+"|"+strings.Join(s.Headers()["More"], ", ")+"|")
			io.Copy(s, s)
			s.Close()
		}()
		return nil
	})
	var work sync.WaitGroup
	for i := range uint64(20) {
		work.Go(func() {
			r := rand.New(rand.NewPCG(i, 0))
			s, err := m.CreateStream(header("Which", strconv.FormatUint(i, 10), "more", "a", "more", string(bytes.Repeat([]byte("ü"), int(i)))))
			if err != nil {
				t.Error(err)
				return
			}
			sent := make([]byte, r.IntN(600<<10))
			for j := range sent {
				sent[j] = byte(r.Uint32())
			}
			go func() {
				for rest := sent; len(rest) > 0; {
					n := min(len(rest), 1+r.IntN(40<<10))
					if _, err := s.Write(rest[:n]); err != nil {
						t.Error(err)
						return
					}
					rest = rest[n:]
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}()
			got, err := io.ReadAll(s)
			want := append([]byte(strconv.FormatUint(i, 10)+"|a, "+string(bytes.Repeat([]byte("ü"), int(i)))+"|"), sent...)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d: %v, %d bytes, want %d: %.40q", i, err, len(got), len(want), got)
			}
			m.RemoveStreams(s)
		})
	}
	work.Wait()
	if len(m.streams) > 0 {
		t.Errorf("%d streams are left", len(m.streams))
	}
}

// TestMuxWaits checks that the mux buffers only a limited amount of data for an
// unread stream and loses none of it, and that an unread stream doesn't block
// the other streams.
func TestMuxWaits(t *testing.T) {
	var wrote sync.WaitGroup
	sent := bytes.Repeat([]byte("0123456789abcdef"), 64<<10)
	wrote.Add(1)
	m, _ := between(t, func(s httpstream.Stream) error {
		go func() {
			defer wrote.Done()
			io.ReadFull(s, make([]byte, 2))
			for rest := sent; len(rest) > 0; rest = rest[32<<10:] {
				s.Write(rest[:32<<10])
			}
			s.Close()
		}()
		return nil
	})
	s, err := m.CreateStream(header("a", "b"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(s, "go"); err != nil {
		t.Fatal(err)
	}
	var one [1]byte
	if _, err := io.ReadFull(s, one[:]); err != nil {
		t.Fatal(err)
	}
	if n := s.(*stream).received.size; n > maxWaiting+pieceSize {
		t.Errorf("%d bytes wait", n)
	}
	rest, err := io.ReadAll(s)
	if err != nil || !bytes.Equal(append(one[:], rest...), sent) {
		t.Errorf("%v: %d bytes of %d", err, len(rest)+1, len(sent))
	}
	wrote.Wait()
	m, _ = between(t, func(s httpstream.Stream) error {
		if s.Headers().Get("Which") == "two" { // this stream is read only after all data of the first stream was sent
			wrote.Wait()
			return nil
		}
		wrote.Add(1)
		go func() {
			defer wrote.Done()
			for range 32 {
				s.Write(sent[:32<<10])
			}
		}()
		return nil
	})
	if _, err := m.CreateStream(header("which", "one")); err != nil {
		t.Fatal(err)
	}
	if _, err := m.CreateStream(header("which", "two")); err != nil {
		t.Error(err)
	}
}

// TestMuxResets checks that an unwanted stream is refused, and that a reset ends
// a stream on both sides.
func TestMuxResets(t *testing.T) {
	reset := make(chan error, 1)
	m, _ := between(t, func(s httpstream.Stream) error {
		switch s.Headers().Get("Do") {
		case "refuse":
			return errors.New("no")
		case "reset":
			go func() {
				io.WriteString(s, "last words")
				io.ReadFull(s, make([]byte, 2))
				s.Reset()
			}()
		case "read":
			go func() {
				_, err := io.ReadAll(s)
				reset <- err
			}()
		}
		return nil
	})
	if _, err := m.CreateStream(header("do", "refuse")); err != errRefusedStream {
		t.Errorf("refused: %v", err)
	}
	s, err := m.CreateStream(header("do", "reset"))
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(s, "ok")
	if got, err := io.ReadAll(s); err != nil || string(got) != "last words" {
		t.Errorf("%q, %v", got, err)
	}
	if err := s.Reset(); err != nil {
		t.Error(err)
	}
	if s, err = m.CreateStream(header("do", "read")); err != nil {
		t.Fatal(err)
	}
	if err := s.Reset(); err != nil {
		t.Error(err)
	}
	if n, err := s.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("read of what was reset: %d, %v", n, err)
	}
	<-reset // wait until the server's reader has ended
}

// TestMuxEnds checks that all users of a mux get an error when the other end
// closes the session or the wire breaks.
func TestMuxEnds(t *testing.T) {
	for name, end := range map[string]func(httpstream.Connection, *mux){
		"goes":   func(c httpstream.Connection, _ *mux) { c.Close() },
		"breaks": func(_ httpstream.Connection, m *mux) { m.wire.Close() },
	} {
		asked := make(chan bool, 9)
		m, server := between(t, func(httpstream.Stream) error { asked <- true; return nil })
		s, err := m.CreateStream(header("a", "b"))
		if err != nil {
			t.Fatal(err)
		}
		read := make(chan error)
		go func() {
			_, err := s.Read(make([]byte, 1))
			read <- err
		}()
		<-asked
		end(server, m)
		if err := <-read; err != io.EOF {
			t.Errorf("%s: read: %v", name, err)
		}
		<-m.CloseChan()
		if _, err := m.CreateStream(header("a", "b")); err == nil {
			t.Errorf("%s: a stream of what has ended", name)
		}
	}
}

// A scripted is a wire with fixed input. It ignores everything that is written
// to it.
type scripted struct{ io.Reader }

func (scripted) Write(b []byte) (int, error) { return len(b), nil }
func (scripted) Close() error                { return nil }

// TestMuxReadsOver checks that the mux skips frames that it doesn't use, and
// ends at data that isn't a frame.
func TestMuxReadsOver(t *testing.T) {
	frame := func(kind byte, payload string) []byte {
		b := []byte{0x80, 3, 0, kind, 0, 0, 0, byte(len(payload))}
		return append(b, payload...)
	}
	var in []byte
	for kind := range byte(12) {
		if kind != typeGoAway {
			in = append(append(append(in, frame(kind, "")...), frame(kind, "abc")...), frame(kind, "\x00\x00\x00\x63more words than it has")...)
		}
	}
	in = append(in, append(dataFrame(77, 0, 3), "abc"...)...)
	for _, last := range []string{"", "\x80\x02\x00\x06\x00\x00\x00\x00", "\x80\x03\x00\x07\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00", "\x80\x03\x00"} {
		r := bytes.NewReader(append(bytes.Clone(in), last...))
		m := newMux(scripted{r}, context.WithTimeout, time.Hour)
		<-m.done
		if left := r.Len(); left > 0 {
			t.Errorf("%q: %d bytes were not read", last, left)
		}
	}
}

// FuzzMux checks that the mux ends when its input ends, whatever the input is.
func FuzzMux(f *testing.F) {
	f.Add([]byte("\x80\x03\x00\x02\x00\x00\x00\x08\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01\x01\x00\x00\x03abc"))
	f.Add(binary.BigEndian.AppendUint32([]byte{0, 0, 0, 1}, 0xffffff))
	f.Fuzz(func(t *testing.T, in []byte) {
		release := make(chan struct{})
		m := newMux(scripted{io.MultiReader(gate(release), bytes.NewReader(in))}, context.WithTimeout, time.Hour)
		made := make(chan error)
		go func() {
			s, err := m.CreateStream(header("a", "b"))
			if err == nil {
				_, err = io.ReadAll(s)
			}
			made <- err
		}()
		for {
			m.mu.Lock()
			n := len(m.streams)
			m.mu.Unlock()
			if n > 0 {
				break
			}
		}
		close(release)
		<-made
		<-m.done
	})
}

// A gate is a reader without data. Read blocks until the gate is opened.
type gate chan struct{}

func (g gate) Read([]byte) (int, error) { <-g; return 0, io.EOF }
