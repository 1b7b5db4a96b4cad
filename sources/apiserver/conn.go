package apiserver

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
)

// serve accepts connections until the listener is closed.
func (s *Server) serve() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		if s.closed {
			c.Close()
		} else {
			s.conns[c] = true
			s.serving.Go(func() { s.converse(c) })
		}
		s.mu.Unlock()
	}
}

// converse answers the requests of one connection, one after another.
func (s *Server) converse(c net.Conn) {
	defer func() {
		c.Close()
		s.mu.Lock()
		delete(s.conns, c)
		s.mu.Unlock()
	}()
	in := bufio.NewReader(c)
	for {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		w := &response{to: bufio.NewWriter(c)}
		s.answer(w, r)
		if _, err := io.Copy(io.Discard, r.Body); err != nil || w.ended || r.Close {
			return
		}
	}
}

// A response writes the answer to one request.
type response struct {
	to    *bufio.Writer
	ended bool // the connection must be closed after this answer
}

// reply answers with a JSON value.
func (w *response) reply(code int, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		w.ended = true
		return
	}
	fmt.Fprintf(w.to, "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", code, http.StatusText(code), len(text))
	w.to.Write(text)
	w.ended = w.to.Flush() != nil
}

// fail answers with an error, as a Kubernetes Status.
func (w *response) fail(code int, reason string) {
	w.reply(code, Object{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code, "message": reason})
}

// stream begins an answer whose length isn't known: it ends with the connection.
func (w *response) stream() {
	w.ended = true
	io.WriteString(w.to, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n")
}

// send writes a JSON value of a stream; flush passes all of them on. An error means
// that the client has left.
func (w *response) send(v any) error { return json.NewEncoder(w.to).Encode(v) }

func (w *response) flush() error { return w.to.Flush() }
