package forward

import (
	"fmt"
	"strings"
	"time"
)

// RefusedError is of a port that nothing listens on: the pod answered.
type RefusedError struct {
	Port int
	Text string // what the other end said, in its own words
}

func (e *RefusedError) Error() string { return fmt.Sprintf("port %d refused", e.Port) }

// ForwardError is of a port that could not be reached, for any other reason.
type ForwardError struct {
	Port int
	Text string // the reason
}

func (e *ForwardError) Error() string {
	return fmt.Sprintf("port %d not forwarded: %s", e.Port, e.Text)
}

// LostError is of a connection whose session has ended before it.
type LostError struct{}

func (LostError) Error() string { return "connection to the pod lost" }

// SlowUpgradeError is of a session that was not set up within its time. Whose
// fault it is can't be told: an API server waits for the node's kubelet, which
// may wait for the pod.
type SlowUpgradeError struct{ After time.Duration }

func (e *SlowUpgradeError) Error() string {
	return fmt.Sprintf("no connection to the pod within %s", e.After)
}

// Timeout tells that it was a matter of time, as a net.Error does.
func (*SlowUpgradeError) Timeout() bool { return true }

// SlowReaderError is of a connection that was cut off because its reader was
// too far behind. What had come until then can be read before it.
type SlowReaderError struct {
	Port   int
	Unread int // how many bytes may be kept
}

func (e *SlowReaderError) Error() string {
	return fmt.Sprintf("port %d cut off: over %d bytes unread", e.Port, e.Unread)
}

// ExitError is of a command that ended with another code than 0.
type ExitError struct {
	Code   int
	Stderr string // the beginning of what it wrote there
}

func (e *ExitError) Error() string {
	if e.Stderr == "" {
		return fmt.Sprintf("exit code %d", e.Code)
	}
	return fmt.Sprintf("exit code %d: %s", e.Code, line1(e.Stderr))
}

// Answered tells whether the command was run and has refused: shells and
// container runtimes have codes of their own for one that could not be.
func (e *ExitError) Answered() bool { return e.Code != 126 && e.Code != 127 }

// ExecError is of a command that could not be run, or of which no exit code
// is known.
type ExecError struct {
	Text   string
	Stderr string // the beginning of what it wrote there
}

func (e *ExecError) Error() string {
	text := line1(e.Text)
	for _, wrapping := range []string{"Internal error occurred: ", "Internal error occurred: ", "error executing command in container: "} {
		text = strings.TrimPrefix(text, wrapping) // of each who passed it on
	}
	if e.Stderr != "" {
		text += ": " + line1(e.Stderr)
	}
	return text
}

// Answered tells whether the command was run: then it has said something.
func (e *ExecError) Answered() bool { return strings.TrimSpace(e.Stderr) != "" }

// spoken makes an error of what stood on a connection's error stream.
// Container runtimes word it as they like; "connection refused" is the
// kernel's.
func spoken(port int, text string) error {
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

// line1 puts a text on one line.
func line1(text string) string { return strings.Join(strings.Fields(text), " ") }
