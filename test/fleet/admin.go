package fleet

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// An admin serves one simulated HTTP port: an Envoy's admin port or an istiod's debug port.
type admin struct {
	counters *Counters
	tally    *tally
	answer   func(r *http.Request) (status int, kind string, b body)
	trouble  Trouble

	latency time.Duration
	rate    int64      // bytes per second at which an answer is produced; 0 means no delay
	thread  sync.Mutex // simulates Envoy's main thread, which produces one answer at a time
	single  bool       // whether requests take turns on the main thread
}

// errCut ends an answer in the middle.
var errCut = errors.New("cut")

// piece is how many bytes are written at once. A slow proxy writes slowPiece bytes at once and pauses before each
// write.
const (
	piece     = 64 << 10
	slowPiece = 1 << 10
	slowPause = 50 * time.Millisecond
)

// serve answers the requests of one connection until the connection ends.
func (a *admin) serve(rw io.ReadWriter) {
	in := bufio.NewReaderSize(rw, 4<<10)
	for {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return
		}
		if a.trouble == Hung {
			defer a.tally.asked(r.URL.RequestURI())()
			_, _ = io.Copy(io.Discard, rw) // block until the client closes the connection
			return
		}
		if err := a.answerOne(rw, r); err != nil || r.Close {
			return
		}
	}
}

// answerOne answers a single request.
func (a *admin) answerOne(w io.Writer, r *http.Request) error {
	done := sync.OnceFunc(a.tally.asked(r.URL.RequestURI()))
	defer done()
	status, kind, b := a.answer(r)
	if a.trouble == Busy {
		status, kind, b = http.StatusServiceUnavailable, "text/plain", text("upstream connect error or disconnect/reset before headers")
	}
	a.delay(b.size())
	var head strings.Builder
	fmt.Fprintf(&head, "HTTP/1.1 %d %s\r\ncontent-type: %s\r\ncache-control: no-cache, max-age=0\r\nserver: envoy\r\ntransfer-encoding: chunked\r\n\r\n", status, http.StatusText(status), kind)
	if _, err := io.WriteString(w, head.String()); err != nil {
		return err
	}
	if err := a.send(w, b); err != nil {
		return err
	}
	done() // count the request as answered first: a client that has read the end may send its next request at once
	_, err := io.WriteString(w, "0\r\n\r\n")
	a.counters.answered()
	return err
}

// delay sleeps for as long as producing an answer of size bytes takes.
func (a *admin) delay(size int64) {
	wait := a.latency
	if a.rate > 0 {
		wait += time.Duration(float64(size) / float64(a.rate) * float64(time.Second))
	}
	if wait == 0 {
		return
	}
	if a.single {
		a.thread.Lock()
		defer a.thread.Unlock()
	}
	time.Sleep(wait)
}

// send writes the body in HTTP chunks.
func (a *admin) send(w io.Writer, b body) error {
	buf := a.counters.buffers.Get().(*[]byte)
	defer a.counters.buffers.Put(buf)
	const edge = 16 // bytes reserved before each piece for the chunk size
	out, most := (*buf)[:edge+piece+2], b.size()/2
	var sent int64
	size := piece
	if a.trouble == Slow {
		size = slowPiece
	}
	return b.pour(out[edge:edge+size], func(p []byte) error {
		if a.trouble == Slow {
			time.Sleep(slowPause)
		}
		if a.trouble == Cut && sent >= most {
			return errCut
		}
		head := fmt.Appendf(nil, "%x\r\n", len(p))
		start := edge - len(head)
		copy(out[start:], head)
		copy(out[edge+len(p):], "\r\n")
		n, err := w.Write(out[start : edge+len(p)+2])
		sent += int64(len(p))
		a.tally.sent(int64(n))
		return err
	})
}

// text returns a body with a fixed text.
func text(s string) body { return body{{template: fixed(s)}} }
