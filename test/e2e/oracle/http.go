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

// Request is an HTTP/1.1 request. It is sent exactly as written here.
type Request struct {
	Method  string      `json:"method"`
	Host    string      `json:"authority"`
	Path    string      `json:"path"`
	Headers [][2]string `json:"headers,omitempty"`
}

// Answer is the result of a request. Its status is 0 if Envoy closed the connection without an answer.
type Answer struct {
	Status   int    `json:"status"`
	Route    string `json:"route,omitempty"`
	Cluster  string `json:"cluster,omitempty"`
	Host     string `json:"upstream_host,omitempty"` // the host that Envoy forwarded
	Path     string `json:"upstream_path,omitempty"`
	Scheme   string `json:"-"`
	Location string `json:"location,omitempty"`
	Chain    string `json:"-"` // the name of the filter chain
	Details  string `json:"-"` // the reason of the response: "via_upstream", "upgrade_failed"
}

// reportHeaders returns response headers that report what Envoy chose.
func reportHeaders() []any {
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

// Client keeps one connection to a listener open, and reconnects when it was closed.
type Client struct {
	Address string
	TLS     *tls.Config // nil means plain text
	Begin   []byte      // bytes to send first, such as a PROXY protocol header

	conn net.Conn
	in   *bufio.Reader
}

// patience is how long to wait for an answer.
const patience = 5 * time.Second

// Ask sends a request and reads its answer. If a kept connection turns out to be closed, it sends the request once more
// on a new one.
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
		if !kept { // Envoy closed a new connection without an answer, which is a valid result
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
	if res.Close || r.Method == http.MethodConnect || r.upgrades() { // the rest of the connection may not be HTTP
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

// Text returns the request as it is sent.
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
