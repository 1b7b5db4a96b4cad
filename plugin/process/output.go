package process

import (
	"fmt"
	"io"
	"strings"

	"github.com/meshq/kubectl-meshq/printers/safe"
	"k8s.io/klog/v2"
)

// WriteError is an error of standard output.
type WriteError struct{ Err error }

func (e *WriteError) Error() string { return "standard output: " + Fact(e.Err) }
func (e *WriteError) Unwrap() error { return e.Err }

// Safely returns a world in which nothing that could move a terminal's cursor is
// written to standard output or standard error, whatever is printed.
func (w *World) Safely() (safely *World, flush func()) {
	klog.LogToStderr(false) // client-go returns what it logs as an error, too, and the run prints that
	klog.SetOutput(io.Discard)
	out, errs := safe.NewWriter(w.Out), safe.NewWriter(w.Err)
	world := *w
	world.Out, world.Err, world.Terminal = out, errs, w.Err
	return &world, func() {
		_ = out.Flush() // an output that is gone takes nothing anyway
		_ = errs.Flush()
	}
}

// Say writes a line to standard error.
func (w *World) Say(format string, args ...any) {
	fmt.Fprintln(w.Err, OneLine(fmt.Sprintf(format, args...)))
}

// pass lets more than text through to standard output.
func (w *World) Allow(p safe.Allowed) {
	if out, ok := w.Out.(*safe.Writer); ok {
		out.Allow(p)
	}
}

// OneLine keeps a message to one line, and from moving the terminal's cursor:
// names and errors come from elsewhere.
func OneLine(s string) string { return safe.Line(strings.TrimSpace(s)) }
