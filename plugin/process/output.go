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

// Safely returns a world whose standard output and standard error escape
// everything that could move the cursor of a terminal.
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

// Say prints one line on standard error.
func (w *World) Say(format string, args ...any) {
	fmt.Fprintln(w.Err, OneLine(fmt.Sprintf(format, args...)))
}

// Allow lets more than text through to standard output.
func (w *World) Allow(p safe.Allowed) {
	if out, ok := w.Out.(*safe.Writer); ok {
		out.Allow(p)
	}
}

// OneLine returns a text as one line without unsafe characters. Names and
// errors come from other parties.
func OneLine(s string) string { return safe.Line(strings.TrimSpace(s)) }
