package oracle

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// Request is one over HTTP/1.1, written as it stands here.
type Request struct {
	Method  string      `json:"method"`
	Host    string      `json:"authority"`
	Path    string      `json:"path"`
	Headers [][2]string `json:"headers,omitempty"`
}

// Answer is what became of a request. A connection that was closed without an
// answer has the status 0.
type Answer struct {
	Status   int    `json:"status"`
	Route    string `json:"route,omitempty"`
	Cluster  string `json:"cluster,omitempty"`
	Host     string `json:"upstream_host,omitempty"` // as it was sent on
	Path     string `json:"upstream_path,omitempty"`
	Scheme   string `json:"-"`
	Location string `json:"location,omitempty"`
	Chain    string `json:"-"` // the filter chain's name
	Details  string `json:"-"` // why it is answered so: "via_upstream", "upgrade_failed"
}

// said are the headers of a response that say what Envoy chose.
func said() []any {
	var all []any
	for _, h := range [][2]string{
		{"x-o-route", "%ROUTE_NAME%"}, {"x-o-cluster", "%UPSTREAM_CLUSTER%"}, {"x-o-path", "%REQ(:PATH)%"}, {"x-o-host", "%REQ(:AUTHORITY)%"},
		{"x-o-scheme", "%REQ(:SCHEME)%"}, {"x-o-chain", "%FILTER_CHAIN_NAME%"}, {"x-o-details", "%RESPONSE_CODE_DETAILS%"},
	} {
		all = append(all, Message{"header": Message{"key": h[0], "value": h[1]}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"})
	}
	return all
}

func answerOf(res *http.Response) Answer {
	h := res.Header
	return Answer{
		Status: res.StatusCode, Route: h.Get("x-o-route"), Cluster: h.Get("x-o-cluster"), Host: h.Get("x-o-host"), Path: h.Get("x-o-path"),
		Scheme: h.Get("x-o-scheme"), Location: h.Get("location"), Chain: h.Get("x-o-chain"), Details: h.Get("x-o-details"),
	}
}

// Client keeps one connection to a listener, and dials it again when it was
// closed.
type Client struct {
	Address string
	TLS     *tls.Config // nil: plain
	Begin   []byte      // what is sent ahead of all else, a PROXY line

	conn net.Conn
	in   *bufio.Reader
}

// patience is how long an answer may take.
const patience = 5 * time.Second

// Ask sends one request and reads its answer. One that the connection was
// closed under is sent once more.
func (c *Client) Ask(ctx context.Context, r Request) (a Answer, err error) {
	for range 2 {
		kept := c.conn != nil
		if !kept {
			if err := c.dial(ctx); err != nil {
				return a, err
			}
		}
		if a, err = c.exchange(r); err == nil {
			return a, nil
		}
		c.Close()
		if !kept { // the answer is that there is none
			return Answer{}, nil
		}
	}
	return Answer{}, nil
}

func (c *Client) dial(ctx context.Context) (err error) {
	if c.conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", c.Address); err != nil {
		return err
	}
	if len(c.Begin) > 0 {
		if _, err := c.conn.Write(c.Begin); err != nil {
			return err
		}
	}
	if c.TLS != nil {
		c.conn = tls.Client(c.conn, c.TLS)
	}
	c.in = bufio.NewReaderSize(c.conn, 16<<10)
	return nil
}

func (c *Client) exchange(r Request) (Answer, error) {
	if err := c.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return Answer{}, err
	}
	if _, err := io.WriteString(c.conn, r.Text()); err != nil {
		return Answer{}, err
	}
	res, err := http.ReadResponse(c.in, &http.Request{Method: r.Method})
	if err != nil {
		return Answer{}, err
	}
	a := answerOf(res)
	if res.Close || r.Method == http.MethodConnect || r.upgrades() { // what follows is no HTTP, or may not be
		c.Close()
		return a, nil
	}
	_, err = io.Copy(io.Discard, res.Body)
	return a, err
}

// Close closes the connection, if there is one.
func (c *Client) Close() {
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}

func (r Request) upgrades() bool {
	for _, h := range r.Headers {
		if strings.EqualFold(h[0], "upgrade") {
			return true
		}
	}
	return false
}

// Text is the request as it is sent.
func (r Request) Text() string {
	var b strings.Builder
	b.WriteString(r.Method + " " + r.Path + " HTTP/1.1\r\nHost: " + r.Host + "\r\n")
	for _, h := range r.Headers {
		b.WriteString(h[0] + ": " + h[1] + "\r\n")
	}
	if r.Method == http.MethodPost {
		b.WriteString("content-length: 0\r\n")
	}
	b.WriteString("\r\n")
	return b.String()
}
