package process

import (
	"fmt"
	"io"
	"strings"

	"github.com/meshq/kubectl-meshq/printers/safe"
	"k8s.io/klog/v2"
)

// WriteError is an error from writing to standard output.
type WriteError struct{ Err error }

func (e *WriteError) Error() string { return "standard output: " + Fact(e.Err) }
func (e *WriteError) Unwrap() error { return e.Err }

// Safely returns a copy of w that escapes everything on standard output and
// standard error that could move the cursor of a terminal. flush writes the
// buffered output.
func (w *World) Safely() (safely *World, flush func()) {
	// client-go returns its errors as well as logging them, and the run prints
	// the returned ones
	klog.LogToStderr(false)
	klog.SetOutput(io.Discard)
	out, errs := safe.NewWriter(w.Out), safe.NewWriter(w.Err)
	world := *w
	world.Out, world.Err, world.Terminal = out, errs, w.Err
	return &world, func() {
		_ = out.Flush() // a failed write can't be reported anywhere at this point
		_ = errs.Flush()
	}
}

// Say prints one line to standard error.
func (w *World) Say(format string, args ...any) {
	fmt.Fprintln(w.Err, OneLine(fmt.Sprintf(format, args...)))
}

// Allow turns off the escaping of the control characters and escape sequences in p
// on standard output.
func (w *World) Allow(p safe.Allowed) {
	if out, ok := w.Out.(*safe.Writer); ok {
		out.Allow(p)
	}
}

// OneLine returns a text as one line without unsafe characters. Names and error
// texts come from clusters and servers, so they may contain anything.
func OneLine(s string) string { return safe.Line(strings.TrimSpace(s)) }
