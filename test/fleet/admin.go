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

// An admin is a port that answers: an Envoy's, or an istiod's debug port.
type admin struct {
	counters *Counters
	whose    *tally
	answer   func(r *http.Request) (status int, kind string, b body)
	trouble  Trouble

	latency time.Duration
	rate    int64      // bytes a second that an answer takes to be made; 0: no time
	thread  sync.Mutex // Envoy's main thread, which makes its answers one by one
	single  bool       // has such a thread
}

// errCut ends an answer that is cut off.
var errCut = errors.New("cut")

// piece is how much is written at once: by a slow proxy, slowPiece with a pause
// before each.
const (
	piece     = 64 << 10
	slowPiece = 1 << 10
	slowPause = 50 * time.Millisecond
)

// serve answers the requests of a connection until it ends.
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
			defer a.whose.asked(r.URL.RequestURI())()
			_, _ = io.Copy(io.Discard, rw) // until the other side goes
			return
		}
		if err := a.one(rw, r); err != nil || r.Close {
			return
		}
	}
}

// one answers a request.
func (a *admin) one(w io.Writer, r *http.Request) error {
	done := sync.OnceFunc(a.whose.asked(r.URL.RequestURI()))
	defer done()
	status, kind, b := a.answer(r)
	if a.trouble == Busy {
		status, kind, b = http.StatusServiceUnavailable, "text/plain", text("upstream connect error or disconnect/reset before headers")
	}
	a.work(b.size())
	var head strings.Builder
	fmt.Fprintf(&head, "HTTP/1.1 %d %s\r\ncontent-type: %s\r\ncache-control: no-cache, max-age=0\r\nserver: envoy\r\ntransfer-encoding: chunked\r\n\r\n", status, http.StatusText(status), kind)
	if _, err := io.WriteString(w, head.String()); err != nil {
		return err
	}
	if err := a.send(w, b); err != nil {
		return err
	}
	done() // who has read the end may ask again at once
	_, err := io.WriteString(w, "0\r\n\r\n")
	a.counters.answered()
	return err
}

// work takes the time that an answer takes to be made.
func (a *admin) work(size int64) {
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

// send writes a body in chunks.
func (a *admin) send(w io.Writer, b body) error {
	buf := a.counters.buffers.Get().(*[]byte)
	defer a.counters.buffers.Put(buf)
	const edge = 16 // for the size before a piece
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
		a.whose.sent(int64(n))
		return err
	})
}

// text is a body of a few words.
func text(s string) body { return body{{template: fixed(s)}} }
