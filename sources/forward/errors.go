package forward

import (
	"fmt"
	"strings"
	"time"
)

// A RefusedError reports that no process listens on a port: the pod was reached
// and refused the connection.
type RefusedError struct {
	Port int
	Text string // the error message from the other end of the connection
}

func (e *RefusedError) Error() string { return fmt.Sprintf("port %d refused", e.Port) }

// A ForwardError reports that a port can't be reached, for any reason other
// than a refused connection.
type ForwardError struct {
	Port int
	Text string // the reason why the port can't be reached
}

func (e *ForwardError) Error() string {
	return fmt.Sprintf("port %d not forwarded: %s", e.Port, e.Text)
}

// A LostError reports that a connection ended because its port-forward session
// ended.
type LostError struct{}

func (LostError) Error() string { return "connection to the pod lost" }

// A SlowUpgradeError reports that a session was not opened in time. The cause
// is unknown: the API server waits for the node's kubelet, which in turn may
// wait for the pod.
type SlowUpgradeError struct{ After time.Duration }

func (e *SlowUpgradeError) Error() string {
	return fmt.Sprintf("no connection to the pod within %s", e.After)
}

// Timeout returns true because the error counts as a timeout in the sense of
// net.Error.
func (*SlowUpgradeError) Timeout() bool { return true }

// A SlowReaderError reports that a connection was closed because its reader was
// too slow. The data that was received before can still be read.
type SlowReaderError struct {
	Port   int
	Unread int // the number of bytes that were received but never read
}

func (e *SlowReaderError) Error() string {
	return fmt.Sprintf("port %d cut off: over %d bytes unread", e.Port, e.Unread)
}

// An ExitError reports that a command ended with an exit code other than 0.
type ExitError struct {
	Code   int
	Stderr string // the beginning of the command's standard error
}

func (e *ExitError) Error() string {
	if e.Stderr == "" {
		return fmt.Sprintf("exit code %d", e.Code)
	}
	return fmt.Sprintf("exit code %d: %s", e.Code, line1(e.Stderr))
}

// Answered reports whether the command ran. Shells and container runtimes
// use the codes 126 and 127 for a command that could not be started.
func (e *ExitError) Answered() bool { return e.Code != 126 && e.Code != 127 }

// An ExecError reports that a command could not be run, or that its exit code
// is unknown.
type ExecError struct {
	Text   string
	Stderr string // the beginning of the command's standard error
}

func (e *ExecError) Error() string {
	text := line1(e.Text)
	for _, wrapping := range []string{"Internal error occurred: ", "Internal error occurred: ", "error executing command in container: "} {
		text = strings.TrimPrefix(text, wrapping) // each server between client and container adds this prefix
	}
	if e.Stderr != "" {
		text += ": " + line1(e.Stderr)
	}
	return text
}

// Answered reports whether the command ran. A command that wrote to standard
// error has run.
func (e *ExecError) Answered() bool { return strings.TrimSpace(e.Stderr) != "" }

// streamError converts the text on the error stream of a connection to an
// error, or to nil if the text is empty. The text depends on the container
// runtime, except for "connection refused", which comes from the kernel.
func streamError(port int, text string) error {
	text = line1(text)
	switch {
	case text == "":
		return nil
	case strings.Contains(strings.ToLower(text), "connection refused"):
		return &RefusedError{Port: port, Text: text}
	}
	if rest, ok := strings.CutPrefix(text, fmt.Sprintf("error forwarding port %d to pod ", port)); ok {
		if _, reason, ok := strings.Cut(rest, ": "); ok { // the text has the form "NAME, uid UID: reason"
			text = reason
		}
	}
	return &ForwardError{Port: port, Text: text}
}

// line1 replaces each sequence of white space with one space, so that a text
// fits on one line.
func line1(text string) string { return strings.Join(strings.Fields(text), " ") }
