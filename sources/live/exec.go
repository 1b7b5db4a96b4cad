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

// A program is run in a pod and sends the request there, if a connection isn't
// allowed.
type program struct {
	container string
	command   []string
}

// pilotAgent returns the program that asks an Envoy in its pod, or nil for a port
// that the program refuses to ask.
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

// pilotDiscovery returns the program that asks istiod in its pod.
func pilotDiscovery(q *question) *program {
	return &program{"discovery", []string{"pilot-discovery", "request", q.method, q.target()}}
}

// exec runs a program that sends the request. The program prints the body of an
// answer without the status, or it fails and names the status. So an error answer
// may have to be recognized by its text.
func (c *Cluster) exec(ctx context.Context, p pod, q *question, run program) (*transport.Body, error) {
	w := c.ways.to(p.namespace)
	if err := w.execForbidden(); err != nil {
		return nil, err
	}
	spool := c.depot.Spool()
	err := c.run(ctx, p, q, run, &filler{spool: spool, counters: &c.counters})
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

// isAboutAnswer reports whether an error is about the answer instead of the connection.
func isAboutAnswer(err error) bool {
	var status *StatusError
	var silent *SilentError
	return errors.As(err, &status) || errors.As(err, &silent)
}

// run runs the program as long as its output arrives in time.
func (c *Cluster) run(ctx context.Context, p pod, q *question, run program, out *filler) error {
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
			case whole.Err() != nil: // the program ended because its time was over
				return c.tooLate(ctx, whole, h, patience)
			case release():
				return out.slow()
			}
			return err
		case <-h.signals:
			over()
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

// An activity sends a signal whenever output arrives.
type activity struct {
	out     *filler
	signals chan struct{}
}

func (h *activity) Write(b []byte) (int, error) {
	select {
	case h.signals <- struct{}{}:
	default: // a signal is already waiting to be received
	}
	return h.out.Write(b)
}

// printed returns an error if the text that a program has printed isn't the
// requested answer.
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

// emptyAnswer is the error of a program that has printed nothing.
type emptyAnswer struct{}

func (emptyAnswer) Error() string { return "an empty answer" }

// Answered returns true, because the program was run.
func (emptyAnswer) Answered() bool { return true }

// unsuccessful returns the status that a program's error message names. Programs
// name each status of 400 or more, except 404. It returns nil for other errors.
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

// refuses reports whether a text begins like one of Envoy's refusals. It is used for
// answers that may be any text.
func refuses(text []byte) bool {
	return bytes.HasPrefix(text, []byte("invalid path")) || bytes.HasPrefix(text, []byte("Method Not Allowed"))
}

// guess returns the likely status of a refusal: istiod and Envoy say "not found",
// "invalid path" or "not connected" with 404, and their other known refusals with
// 400.
func guess(text []byte) int {
	for _, sign := range []string{"not found", "invalid path", "not connected"} {
		if bytes.Contains(text, []byte(sign)) {
			return http.StatusNotFound
		}
	}
	return http.StatusBadRequest
}
