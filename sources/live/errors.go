package live

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"
	"unicode"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// A StatusError is the error for a response whose status isn't 200, which means
// that the server has understood the request and refuses it.
type StatusError struct {
	Code int
	Text string // the first line of the response's body; may be empty
}

func (e *StatusError) Error() string {
	s := fmt.Sprintf("%d %s", e.Code, http.StatusText(e.Code))
	if e.Text != "" {
		s += ": " + e.Text
	}
	return s
}

// Status returns the status code and the text of the answer.
func (e *StatusError) Status() (code int, text string) { return e.Code, e.Text }

// A SilentError reports that a response, or the rest of it, didn't arrive in time.
type SilentError struct {
	After time.Duration // the time during which no byte arrived; if Whole is set, the deadline of the whole response
	Whole bool          // true if the deadline of the whole response has passed
	Came  int64         // the number of bytes of the body that arrived
	Begun bool          // true if at least one byte arrived
	Slow  bool          // true if bytes arrived all the time, but too slowly
}

func (e *SilentError) Error() string {
	switch {
	case !e.Begun:
		return fmt.Sprintf("no answer in %s", e.After)
	case e.Whole:
		return fmt.Sprintf("no whole answer in %s: %d bytes came", e.After, e.Came)
	case e.Slow:
		return fmt.Sprintf("the answer is too slow: fewer than %d KiB in %s, %d bytes in all; --request-timeout waits longer", leastInWindow>>10, e.After, e.Came)
	}
	return fmt.Sprintf("the answer stopped after %d bytes: no more in %s", e.Came, e.After)
}

// Timeout returns true, because a deadline has passed.
func (e *SilentError) Timeout() bool { return true }

// absent is the error for an object or resource that doesn't exist in the
// cluster.
type absent struct {
	what string
	err  error // the server's error, from which this is known; may be nil
}

func (e *absent) Error() string        { return e.what }
func (e *absent) Unwrap() error        { return e.err }
func (e *absent) Is(target error) bool { return target == fs.ErrNotExist }

// rewordedError is an error whose message was replaced.
type rewordedError struct {
	text string
	err  error
}

func (e *rewordedError) Error() string { return e.text }
func (e *rewordedError) Unwrap() error { return e.err }

// unanswered returns the error for a connection on which no complete response
// header arrived.
func unanswered(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return &rewordedError{"the connection was closed without an answer", io.ErrUnexpectedEOF}
	}
	// The HTTP client quotes a response that it can't parse. If the quoted text
	// isn't printable, it is removed: it doesn't help users and is different
	// each time.
	if what, quoted, ok := strings.Cut(err.Error(), ` "`); ok && !isPlain(quoted) {
		if strings.HasPrefix(what, "malformed HTTP ") {
			what = "the answer is no HTTP"
		}
		return &rewordedError{what, err}
	}
	return lost(err)
}

// isPlain reports whether a quoted text consists of printable ASCII.
func isPlain(quoted string) bool {
	return !strings.ContainsFunc(quoted, func(r rune) bool { return r > '~' }) && !strings.Contains(quoted, `\x`) && !strings.Contains(quoted, `\u`)
}

// lost returns the error for a broken connection. It omits the local port, which
// is different each time.
func lost(err error) error {
	var number syscall.Errno
	if op := new(net.OpError); errors.As(err, &op) && errors.As(err, &number) {
		return &rewordedError{number.Error(), err}
	}
	return err
}

// broken returns the error for a body that ended too early.
func broken(came int64, err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return &rewordedError{fmt.Sprintf("the connection was closed after %d bytes of the answer", came), io.ErrUnexpectedEOF}
	}
	return lost(err)
}

// unreached returns an error with the reason why a connection to a port of a pod,
// or to an address, failed.
func unreached(port int, err error) error {
	switch {
	case apierrors.IsNotFound(err):
		return &absent{"no such pod", err}
	case apierrors.IsUnauthorized(err):
		return unauthorized(err)
	case errors.Is(err, syscall.ECONNREFUSED):
		return &rewordedError{fmt.Sprintf("port %d refused", port), err}
	}
	return err
}

func unauthorized(err error) error {
	return &rewordedError{"Unauthorized: the API server doesn't take this context's credentials", err}
}

// statusOf returns the error for a request that the API server refused. It
// contains the server's message, if there is one.
func statusOf(code int, text []byte, status *metav1.Status) error {
	if status == nil || status.Message == "" {
		status = &metav1.Status{Status: metav1.StatusFailure, Reason: reason(code), Message: (&StatusError{code, oneLine(text)}).Error()}
	}
	status.Code = int32(code)
	err := &apierrors.StatusError{ErrStatus: *status}
	if code == http.StatusUnauthorized {
		return unauthorized(err)
	}
	return err
}

func reason(code int) metav1.StatusReason {
	switch code {
	case http.StatusUnauthorized:
		return metav1.StatusReasonUnauthorized
	case http.StatusForbidden:
		return metav1.StatusReasonForbidden
	case http.StatusNotFound:
		return metav1.StatusReasonNotFound
	}
	return metav1.StatusReasonUnknown
}

// forbidden adds the name of the missing permission to an error, if the API
// server's message doesn't contain it.
func forbidden(err error, resource, namespace string) error {
	if !apierrors.IsForbidden(err) || strings.Contains(err.Error(), "cannot list resource") {
		return err
	}
	return &rewordedError{fmt.Sprintf("%s: %s", right("list", resource, namespace), err), err}
}

// right returns the name of a permission, such as "list pods in namespace
// default".
func right(verb, resource, namespace string) string {
	if namespace == "" {
		return verb + " " + resource + " in all namespaces"
	}
	return verb + " " + resource + " in namespace " + namespace
}

// fact returns the cause of an HTTP client's error. The error itself also
// contains the URL.
func fact(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// ended returns ctx's error if ctx has ended.
func ended(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// oneLine returns the first line of a text that another process has sent. It
// shortens the line and removes unprintable characters, so that the line is safe
// to print on a terminal.
func oneLine(text []byte) string {
	const most = 300
	s, _, _ := strings.Cut(strings.TrimSpace(strings.ToValidUTF8(string(text), "")), "\n")
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return strings.TrimSpace(s)
}
