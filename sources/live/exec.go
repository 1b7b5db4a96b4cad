package live

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/meshq/kubectl-meshq/sources/transport"
)

// A program is a command that runs in a pod and sends a request from there. It
// is used if connections are forbidden.
type program struct {
	container string
	command   []string
}

// pilotAgent returns the program that sends a request to the Envoy in its pod. It
// returns nil for a port to which that program refuses to send requests.
func pilotAgent(q *question, port int) *program {
	command := []string{"pilot-agent", "request"}
	switch port {
	case envoyPort:
	case 15004, 15020, 15021:
		command = append(command, "--debug-port="+strconv.Itoa(port))
	default:
		return nil
	}
	return &program{"istio-proxy", append(command, q.method, strings.TrimPrefix(q.target(), "/"))}
}

// pilotDiscovery returns the program that sends a request to the istiod in its
// pod.
func pilotDiscovery(q *question) *program {
	return &program{"discovery", []string{"pilot-discovery", "request", q.method, q.target()}}
}

// exec runs a program that sends the request. If the request succeeds, the program
// prints the body without the status. If the request fails, the program may fail
// with the status in its error message, or it may print the body of the error
// response. So exec may have to recognize an error response by its text.
func (c *Cluster) exec(ctx context.Context, p pod, q *question, run program, l turn) (*transport.Body, error) {
	w := c.ways.to(p.namespace)
	if err := w.execForbidden(); err != nil {
		return nil, err
	}
	spool := c.depot.Spool()
	err := c.run(ctx, p, q, run, l, &filler{spool: spool, counters: &c.counters})
	if err == nil {
		err = printed(spool, q)
	} else if status := unsuccessful(err); status != nil {
		err = status
	}
	if err == nil {
		return c.body(spool, q.name, q.form)
	}
	spool.Discard()
	switch {
	case ctx.Err() != nil:
		return nil, ended(ctx)
	case apierrors.IsForbidden(err):
		return nil, w.refuseExec(err)
	case apierrors.IsNotFound(err):
		return nil, &absent{"no such pod", err}
	case apierrors.IsUnauthorized(err):
		return nil, unauthorized(err)
	case isAboutAnswer(err):
		return nil, err
	}
	return nil, &rewordedError{run.command[0] + ": " + err.Error(), err}
}

// isAboutAnswer reports whether an error is about the response, not about the
// connection.
func isAboutAnswer(err error) bool {
	var status *StatusError
	var silent *SilentError
	return errors.As(err, &status) || errors.As(err, &silent)
}

// run runs the program. It stops the program if the output doesn't arrive in time.
func (c *Cluster) run(ctx context.Context, p pod, q *question, run program, l turn, out *filler) error {
	whole, cancel := c.whole(ctx)
	defer cancel()
	inner, stop := context.WithCancel(whole)
	defer stop()
	h := &activity{out: out, signals: make(chan struct{}, 1)}
	done := make(chan error, 1)
	go func() { done <- c.dialer.Exec(inner, p.namespace, p.name, run.container, run.command, h) }()
	release := c.keepPace(whole, &out.came, stop)
	defer release()
	for patience := c.beginning(q); ; patience = c.silence() {
		waiting, over := c.after(whole, patience)
		select {
		case err := <-done:
			over()
			switch {
			case err == nil:
			case whole.Err() != nil: // the program ended because its deadline had passed
				return c.tooLate(ctx, whole, h, patience)
			case release():
				return out.slow()
			}
			return err
		case <-h.signals:
			over()
			if err := l.answered(whole); err != nil {
				stop()
				<-done
				return c.tooLate(ctx, whole, h, patience)
			}
		case <-waiting.Done():
			over()
			stop()
			<-done
			return c.tooLate(ctx, whole, h, patience)
		}
	}
}

func (c *Cluster) tooLate(ctx, whole context.Context, h *activity, patience time.Duration) error {
	if err := ended(ctx); err != nil {
		return err
	}
	s := &SilentError{After: patience, Came: h.out.spool.Size()}
	s.Begun = s.Came > 0
	if c.request > 0 || s.Begun && whole.Err() != nil {
		s.After, s.Whole = cmp.Or(c.request, maxWhole), true
	}
	return s
}

// An activity is a writer that sends a signal whenever output arrives.
type activity struct {
	out     *filler
	signals chan struct{}
}

func (h *activity) Write(b []byte) (int, error) {
	select {
	case h.signals <- struct{}{}:
	default: // an earlier signal hasn't been received yet, and is enough
	}
	return h.out.Write(b)
}

// printed returns an error if the output of a program isn't the requested
// response.
func printed(spool *transport.Spool, q *question) error {
	text := make([]byte, min(spool.Size(), 4<<10))
	if _, err := spool.ReadAt(text, 0); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	text = bytes.TrimSpace(text)
	switch {
	case len(text) == 0:
		return emptyAnswer{}
	case q.form == transport.JSON && text[0] != '{' && text[0] != '[', refuses(text):
		return &StatusError{guess(text), oneLine(text)}
	}
	return nil
}

// emptyAnswer is the error for a program that has printed nothing.
type emptyAnswer struct{}

func (emptyAnswer) Error() string { return "an empty answer" }

// Answered returns true, because the program ran.
func (emptyAnswer) Answered() bool { return true }

// unsuccessful converts an HTTP status in a program's error message to an error.
// The message contains every status of 400 or more, except 404. unsuccessful
// returns nil for any other error.
func unsuccessful(err error) error {
	const sign = "received unsuccessful status code "
	_, text, ok := strings.Cut(err.Error(), sign)
	if !ok {
		return nil
	}
	digits, text, _ := strings.Cut(text, ":")
	code, err := strconv.Atoi(strings.TrimSpace(digits))
	if err != nil || code < 400 || code > 599 {
		return nil
	}
	return &StatusError{code, oneLine([]byte(text))}
}

// refuses reports whether a text begins like one of Envoy's error responses. It is
// used for responses that may be any text.
func refuses(text []byte) bool {
	return bytes.HasPrefix(text, []byte("invalid path")) || bytes.HasPrefix(text, []byte("Method Not Allowed"))
}

// guess returns the likely status of an error response. istiod and Envoy send "not
// found", "invalid path" and "not connected" with 404, and other known errors with
// 400.
func guess(text []byte) int {
	for _, sign := range []string{"not found", "invalid path", "not connected"} {
		if bytes.Contains(text, []byte(sign)) {
			return http.StatusNotFound
		}
	}
	return http.StatusBadRequest
}
