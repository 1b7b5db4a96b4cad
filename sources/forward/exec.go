package forward

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/remotecommand"
	"k8s.io/client-go/transport/websocket"
)

// headLimit is the maximum number of bytes that are kept of a command's
// standard error and of its exit status.
const headLimit = 16 << 10

// Exec runs a command in a container of a pod and writes its standard output to
// out as it arrives. The error is an ExitError if the exit code isn't 0. It is
// an ExecError or an API status if the command could not be run. It is a
// LostError if the connection ended before the command did; out has then
// received only a part of the output. Exec never writes to out after it has
// returned.
func (p *Pool) Exec(ctx context.Context, namespace, pod, container string, command []string, out io.Writer) error {
	name, err := checkName(namespace, pod)
	if err != nil {
		return err
	}
	if !p.join() {
		return net.ErrClosed
	}
	defer p.work.Done()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(p.life, func() { cancel(net.ErrClosed) })()
	query := url.Values{"container": {container}, "command": command, "stdout": {"true"}, "stderr": {"true"}}
	c, err := p.upgrader.command(ctx, name, query)
	if err != nil {
		return err
	}
	defer c.close(p.o.Timeout)
	defer context.AfterFunc(ctx, c.cut)()
	return run(ctx, c, out)
}

// join registers the caller as running work, for which Close waits. It returns
// false if the pool is closed.
func (p *Pool) join() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.work.Add(1)
	}
	return !p.closed
}

// run copies the output of a command until the command ends.
func run(ctx context.Context, c command, out io.Writer) error {
	stdout, stderr, status := &errorKeeper{w: out}, &head{}, &head{}
	c.take(ctx, stdout, stderr, status)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case stdout.err != nil:
		return stdout.err
	case status.text.Len() == 0:
		return LostError{}
	}
	return ended(status.text.Bytes(), stderr.text.String())
}

// ended returns the error for the exit status of a command.
func ended(status []byte, stderr string) error {
	var s metav1.Status
	if err := json.Unmarshal(status, &s); err != nil {
		return &ExecError{Text: string(status), Stderr: stderr}
	}
	if s.Status == metav1.StatusSuccess {
		return nil
	}
	if s.Reason == remotecommand.NonZeroExitCodeReason && s.Details != nil {
		for _, cause := range s.Details.Causes {
			if code, err := strconv.Atoi(cause.Message); err == nil && cause.Type == remotecommand.ExitCodeCauseType {
				return &ExitError{Code: code, Stderr: stderr}
			}
		}
	}
	return &ExecError{Text: s.Message, Stderr: stderr}
}

// A command is a command that runs in a container.
type command interface {
	// take copies the command's outputs and its status until they end.
	take(ctx context.Context, stdout, stderr, status io.Writer)
	cut()          // closes the connection at once
	close(Timeout) // announces the end to the API server (over SPDY), then closes the connection
}

// command starts a command. Each attempt has the timeout
// Options.UpgradeTimeout.
func (d *upgrader) command(ctx context.Context, name podName, query url.Values) (c command, err error) {
	err = d.retrying(ctx, func() error {
		c, err = d.commandOnce(ctx, name, query)
		return err
	})
	return c, err
}

func (d *upgrader) commandOnce(ctx context.Context, name podName, query url.Values) (command, error) {
	limited, cancel := d.o.Timeout(ctx, d.o.UpgradeTimeout)
	defer cancel()
	u := d.url(name, "exec", query)
	protocols := []string{remotecommand.StreamProtocolV5Name, remotecommand.StreamProtocolV4Name}
	var c command
	err := d.webSocketOrSPDY(accessKey{name.namespace, "exec"},
		func() error {
			ws, l, err := d.dial(limited, u, protocols...)
			c = &channels{ws: ws, line: l}
			return err
		},
		func() error {
			l, err := d.post(limited, u, protocols...)
			c = &streams{link: l}
			return err
		})
	if err != nil {
		return nil, d.late(ctx, limited, err)
	}
	return c, nil
}

// channels is a command over a WebSocket. The first byte of each message is the
// number of the stream to which the rest of the message belongs.
type channels struct {
	ws   websocket.ConnectionHolder
	line *line
}

func (c *channels) take(_ context.Context, stdout, stderr, status io.Writer) {
	to := map[byte]io.Writer{remotecommand.StreamStdOut: stdout, remotecommand.StreamStdErr: stderr, remotecommand.StreamErr: status}
	for {
		_, r, err := c.ws.Connection().NextReader()
		if err != nil {
			return
		}
		var which [1]byte
		if _, err := io.ReadFull(r, which[:]); err != nil {
			continue // after an error, NextReader returns the same error again
		}
		w := to[which[0]]
		if w == nil {
			w = io.Discard
		}
		if _, err := io.Copy(w, r); err != nil {
			return
		}
	}
}

func (c *channels) cut()          { c.line.close() }
func (c *channels) close(Timeout) { c.line.close() }

// A streams is a command over SPDY.
type streams struct{ link *link }

func (s *streams) take(ctx context.Context, stdout, stderr, status io.Writer) {
	header := func(kind string) http.Header {
		h := http.Header{}
		h.Set(corev1.StreamType, kind)
		return h
	}
	all, err := s.link.streams(ctx, header(corev1.StreamTypeError), header(corev1.StreamTypeStdout), header(corev1.StreamTypeStderr))
	if err != nil {
		return
	}
	var work sync.WaitGroup
	work.Go(func() { io.Copy(status, all[0]) }) // the copying goroutines end when the link ends
	work.Go(func() { io.Copy(stderr, all[2]) })
	if _, err := io.Copy(stdout, all[1]); err != nil {
		s.cut()
		s.link.discard(all...) // unread streams would block the closing of the link
	}
	work.Wait()
}

func (s *streams) cut()            { s.link.wire.line.close() }
func (s *streams) close(t Timeout) { s.link.close(t) }

// An errorKeeper is a writer that stores the first error of the writer it
// wraps.
type errorKeeper struct {
	w   io.Writer
	err error
}

func (t *errorKeeper) Write(b []byte) (n int, err error) {
	n, err = t.w.Write(b)
	if err != nil {
		t.err = err
	}
	return n, err
}

// A head keeps the first headLimit bytes that are written to it.
type head struct{ text bytes.Buffer }

func (n *head) Write(b []byte) (int, error) {
	n.text.Write(b[:min(len(b), headLimit-n.text.Len())])
	return len(b), nil
}
