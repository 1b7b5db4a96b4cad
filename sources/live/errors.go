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

// A StatusError is an answer with another status than 200: the speaker has
// understood, and refuses.
type StatusError struct {
	Code int
	Text string // what it says about it, one line; may be empty
}

func (e *StatusError) Error() string {
	s := fmt.Sprintf("%d %s", e.Code, http.StatusText(e.Code))
	if e.Text != "" {
		s += ": " + e.Text
	}
	return s
}

// Status gives the code and the text of the answer.
func (e *StatusError) Status() (code int, text string) { return e.Code, e.Text }

// A SilentError ends the wait for an answer that doesn't come, or not to its
// end.
type SilentError struct {
	After time.Duration // how long nothing came, or how long the whole answer was waited for
	Whole bool          // the latter
	Came  int64         // how many bytes of a body there were
	Begun bool          // something had come
	Slow  bool          // more came all the time, but too little
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

// Timeout tells that it is the error of a deadline.
func (e *SilentError) Timeout() bool { return true }

// absent is the error of what there is not.
type absent struct {
	what string
	err  error // how that was found out; may be nil
}

func (e *absent) Error() string        { return e.what }
func (e *absent) Unwrap() error        { return e.err }
func (e *absent) Is(target error) bool { return target == fs.ErrNotExist }

// said is an error in other words.
type said struct {
	text string
	err  error
}

func (e *said) Error() string { return e.text }
func (e *said) Unwrap() error { return e.err }

// unanswered is the error of a connection that brought no whole header.
func unanswered(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return &said{"the connection was closed without an answer", io.ErrUnexpectedEOF}
	}
	// The HTTP client quotes what it doesn't understand. What isn't even text
	// says nothing to people, and is something else the next time.
	if what, quoted, ok := strings.Cut(err.Error(), ` "`); ok && !isPlain(quoted) {
		if strings.HasPrefix(what, "malformed HTTP ") {
			what = "the answer is no HTTP"
		}
		return &said{what, err}
	}
	return lost(err)
}

// isPlain tells whether a quoted text was printable ASCII.
func isPlain(quoted string) bool {
	return !strings.ContainsFunc(quoted, func(r rune) bool { return r > '~' }) && !strings.Contains(quoted, `\x`) && !strings.Contains(quoted, `\u`)
}

// lost is the error of a connection that broke, without the port that it had
// at this end: that is another one each time.
func lost(err error) error {
	var number syscall.Errno
	if op := new(net.OpError); errors.As(err, &op) && errors.As(err, &number) {
		return &said{number.Error(), err}
	}
	return err
}

// broken is the error of a body that ended before its end.
func broken(came int64, err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return &said{fmt.Sprintf("the connection was closed after %d bytes of the answer", came), io.ErrUnexpectedEOF}
	}
	return lost(err)
}

// unreached says in our words why a port of a pod, or an address, gave no
// connection.
func unreached(port int, err error) error {
	switch {
	case apierrors.IsNotFound(err):
		return &absent{"no such pod", err}
	case apierrors.IsUnauthorized(err):
		return unauthorized(err)
	case errors.Is(err, syscall.ECONNREFUSED):
		return &said{fmt.Sprintf("port %d refused", port), err}
	}
	return err
}

func unauthorized(err error) error {
	return &said{"Unauthorized: the API server doesn't take this context's credentials", err}
}

// statusOf makes the error of what the API server refused: in its own words,
// where it has some.
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

// forbidden names the right that is missing, where the API server's words
// don't.
func forbidden(err error, resource, namespace string) error {
	if !apierrors.IsForbidden(err) || strings.Contains(err.Error(), "cannot list resource") {
		return err
	}
	return &said{fmt.Sprintf("%s: %s", right("list", resource, namespace), err), err}
}

// right names a right: "list pods in namespace default".
func right(verb, resource, namespace string) string {
	if namespace == "" {
		return verb + " " + resource + " in all namespaces"
	}
	return verb + " " + resource + " in namespace " + namespace
}

// fact takes the words around the fact off an error of the HTTP client. What
// is dropped holds the URL.
func fact(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// ended gives ctx's error where it is over.
func ended(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// oneLine gives the first line of a text that a stranger wrote: short, and
// harmless to a terminal.
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
