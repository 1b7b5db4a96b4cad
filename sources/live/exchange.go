package live

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"

	"github.com/meshq/kubectl-meshq/sources/transport"
)

// errStale is the error for an idle connection that the server has closed in the
// meantime.
var errStale = errors.New("closed meanwhile")

// A conn is a connection over which requests are sent one after another.
type conn struct {
	net.Conn
	in   *bufio.Reader
	used bool
	over bool  // true if the server has closed the connection
	came int64 // the number of bytes received since the current request began
	most int64 // the maximum number of bytes before a body; 0 means no limit
}

// readers is a pool of the connections' buffers. A query over a fleet opens a
// connection to each proxy, and the buffers would be a sixth of all its memory.
var readers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 32<<10) }}

func newConn(nc net.Conn) *conn {
	c := &conn{Conn: nc, in: readers.Get().(*bufio.Reader)}
	c.in.Reset(metered{c})
	return c
}

// end closes a connection over which no request is in progress.
func (c *conn) end() {
	c.Close()
	c.in.Reset(nil)
	readers.Put(c.in)
	c.in = nil
}

// A metered is the receiving side of a connection. It counts the bytes, and
// limits their number before a body.
type metered struct{ c *conn }

func (m metered) Read(b []byte) (int, error) {
	if m.c.most > 0 && m.c.came >= m.c.most {
		return 0, fmt.Errorf("an answer with headers of more than %d MiB", m.c.most>>20)
	}
	n, err := m.c.Conn.Read(b)
	m.c.came += int64(n)
	m.c.over = err == io.EOF
	return n, err
}

// An exchange is one request and its response over a connection.
type exchange struct {
	*asker
	ctx   context.Context // the caller's context
	whole context.Context // the caller's context with the deadline of the whole request
	c     *conn
	q     *question
	spool *transport.Spool
	begun bool // true if the header of the response was received
}

// exchange sends a request and receives the response. It tells the server if no more
// requests will follow on the connection. again is true if the connection can be used
// again.
func (a *asker) exchange(ctx context.Context, c *conn, q *question, l turn) (body *transport.Body, again bool, err error) {
	whole, cancel := a.whole(ctx)
	defer cancel()
	last := l.alone()
	e := &exchange{asker: a, ctx: ctx, whole: whole, c: c, q: q, spool: a.depot.Spool()}
	defer func() {
		if err != nil {
			e.spool.Discard()
		}
	}()
	stale := c.used
	c.used, c.came, c.most = true, 0, maxHeader
	resp, err := e.send(last)
	if err != nil {
		if stale && c.came == 0 && ctx.Err() == nil && !isMute(err) {
			err = errStale
		}
		return nil, false, err
	}
	c.most = 0
	if err := l.answered(whole); err != nil {
		return nil, false, e.late()
	}
	if resp.StatusCode != http.StatusOK {
		return nil, false, e.refusal(resp)
	}
	err = (&filler{spool: e.spool, counters: &a.counters}).fill(whole, a.limits, a.silence(), resp.Body, e.cut)
	if err == errStopped {
		err = e.late()
	}
	if err != nil {
		return nil, false, err
	}
	body, err = a.body(e.spool, q.name, q.form)
	return body, !resp.Close && !last && c.in.Buffered() == 0, err
}

// send sends the request and reads the header of the response.
func (e *exchange) send(last bool) (resp *http.Response, err error) {
	req := &http.Request{
		Method: e.q.method, URL: &url.URL{Scheme: "http", Host: "localhost", Path: e.q.path, RawQuery: e.q.query},
		Header: http.Header{"User-Agent": {"kubectl-meshq"}}, Close: last,
	}
	stopped, err := e.within(e.whole, e.beginning(e.q), e.cut, func() error {
		if err := req.Write(e.c); err != nil {
			return e.reason(err)
		}
		for {
			if resp, err = http.ReadResponse(e.c.in, req); err != nil {
				return err
			}
			if resp.StatusCode >= http.StatusOK || resp.StatusCode == http.StatusSwitchingProtocols {
				return nil
			}
		}
	})
	if stopped {
		return nil, e.late()
	}
	if err != nil {
		if e.c.over { // a closed connection may cause other errors, which are less helpful
			err = io.ErrUnexpectedEOF
		}
		return nil, unanswered(err)
	}
	e.begun = true
	return resp, nil
}

// reason returns the server's error for a connection to which nothing can be
// written any more. That error can only be read from the connection.
func (e *exchange) reason(err error) error {
	if _, r := e.c.in.Peek(1); r != nil && !errors.Is(r, io.EOF) {
		return r
	}
	return err
}

// refusal returns the error for a response whose status isn't 200.
func (e *exchange) refusal(resp *http.Response) error {
	text := make([]byte, 4<<10)
	var n int
	// the beginning of the body is enough for the message, so errors are
	// ignored
	e.within(e.whole, e.silence(), e.cut, func() (err error) {
		n, err = io.ReadFull(resp.Body, text)
		return err
	})
	if err := ended(e.ctx); err != nil {
		return err
	}
	return &StatusError{resp.StatusCode, oneLine(text[:n])}
}

// cut closes the connection, which ends the exchange.
func (e *exchange) cut() { e.c.Close() }

// late returns the reason why the exchange was stopped: the error of the caller's
// context, or a missed deadline.
func (e *exchange) late() error {
	if err := ended(e.ctx); err != nil {
		return err
	}
	s := &SilentError{Came: e.spool.Size(), Begun: e.c.came > 0}
	switch {
	case e.request > 0:
		s.After, s.Whole = e.request, true
	case !e.begun:
		s.After = e.beginning(e.q)
	case e.whole.Err() != nil:
		s.After, s.Whole = maxWhole, true
	default:
		s.After = e.silence()
	}
	return s
}
