package forward

import (
	"fmt"
	"strings"
	"time"
)

// RefusedError is the error of a port that nothing listens on: the pod
// answered.
type RefusedError struct {
	Port int
	Text string // the other end's own words
}

func (e *RefusedError) Error() string { return fmt.Sprintf("port %d refused", e.Port) }

// ForwardError is the error of a port that can't be reached for any other
// reason.
type ForwardError struct {
	Port int
	Text string // the reason
}

func (e *ForwardError) Error() string {
	return fmt.Sprintf("port %d not forwarded: %s", e.Port, e.Text)
}

// LostError is the error of a connection whose session ended first.
type LostError struct{}

func (LostError) Error() string { return "connection to the pod lost" }

// SlowUpgradeError is the error of a session that was not open in time. The
// cause is unknown: an API server waits for the node's kubelet, which may wait
// for the pod.
type SlowUpgradeError struct{ After time.Duration }

func (e *SlowUpgradeError) Error() string {
	return fmt.Sprintf("no connection to the pod within %s", e.After)
}

// Timeout returns true, as that of a net.Error.
func (*SlowUpgradeError) Timeout() bool { return true }

// SlowReaderError is the error of a connection that was closed because its
// reader lagged too much. Data received before can be read first.
type SlowReaderError struct {
	Port   int
	Unread int // how many bytes were kept
}

func (e *SlowReaderError) Error() string {
	return fmt.Sprintf("port %d cut off: over %d bytes unread", e.Port, e.Unread)
}

// ExitError is the error of a command that ended with another code than 0.
type ExitError struct {
	Code   int
	Stderr string // the beginning of its standard error
}

func (e *ExitError) Error() string {
	if e.Stderr == "" {
		return fmt.Sprintf("exit code %d", e.Code)
	}
	return fmt.Sprintf("exit code %d: %s", e.Code, line1(e.Stderr))
}

// Answered reports whether the command ran: shells and container runtimes have
// codes of their own for one that could not be started.
func (e *ExitError) Answered() bool { return e.Code != 126 && e.Code != 127 }

// ExecError is the error of a command that could not be run, or whose exit code
// is unknown.
type ExecError struct {
	Text   string
	Stderr string // the beginning of its standard error
}

func (e *ExecError) Error() string {
	text := line1(e.Text)
	for _, wrapping := range []string{"Internal error occurred: ", "Internal error occurred: ", "error executing command in container: "} {
		text = strings.TrimPrefix(text, wrapping) // one for each server that passed it on
	}
	if e.Stderr != "" {
		text += ": " + line1(e.Stderr)
	}
	return text
}

// Answered reports whether the command ran, which it did if it wrote to stderr.
func (e *ExecError) Answered() bool { return strings.TrimSpace(e.Stderr) != "" }

// streamError returns the error for the text of a connection's error stream.
// The text depends on the container runtime; "connection refused" is the
// kernel's.
func streamError(port int, text string) error {
	text = line1(text)
	switch {
	case text == "":
		return nil
	case strings.Contains(strings.ToLower(text), "connection refused"):
		return &RefusedError{Port: port, Text: text}
	}
	if rest, ok := strings.CutPrefix(text, fmt.Sprintf("error forwarding port %d to pod ", port)); ok {
		if _, reason, ok := strings.Cut(rest, ": "); ok { // NAME, uid UID: reason
			text = reason
		}
	}
	return &ForwardError{Port: port, Text: text}
}

// line1 joins the words of a text to one line.
func line1(text string) string { return strings.Join(strings.Fields(text), " ") }
