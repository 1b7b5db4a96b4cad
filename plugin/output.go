package plugin

import (
	"bufio"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/meshq/kubectl-meshq/printers/safe"
	"k8s.io/klog/v2"
)

// writeError is an error of standard output.
type writeError struct{ err error }

func (e *writeError) Error() string { return "standard output: " + fact(e.err) }
func (e *writeError) Unwrap() error { return e.err }

// standardOutput ends the progress where results begin, marks the errors of
// writing them, and notes that there are some.
type standardOutput struct {
	io.Writer
	progress *progress
	printed  *atomic.Bool
}

func (o standardOutput) Write(b []byte) (int, error) {
	o.progress.end()
	o.printed.Store(true)
	n, err := o.Writer.Write(b)
	if err != nil {
		err = &writeError{err}
	}
	return n, err
}

// safely returns a world in which nothing that could move a terminal's cursor is
// written to standard output or standard error, whatever is printed.
func (w *World) safely() (safely *World, flush func()) {
	klog.LogToStderr(false) // client-go returns what it logs as an error, too, and the run prints that
	klog.SetOutput(io.Discard)
	out, errs := safe.NewWriter(w.Out), safe.NewWriter(w.Err)
	world := *w
	world.Out, world.Err, world.terminal = out, errs, w.Err
	return &world, func() {
		_ = out.Flush() // an output that is gone takes nothing anyway
		_ = errs.Flush()
	}
}

// say writes a line to standard error.
func (w *World) say(format string, args ...any) {
	fmt.Fprintln(w.Err, oneLine(fmt.Sprintf(format, args...)))
}

// pass lets more than text through to standard output.
func (w *World) pass(p safe.Allowed) {
	if out, ok := w.Out.(*safe.Writer); ok {
		out.Allow(p)
	}
}

// passing is what results may have in them beside text. A string of -r is
// printed safely on a pipe, too: a pipe mostly ends on a terminal. Who needs
// every byte takes --raw-output0, whose reader is a program.
func (r *run) passing() safe.Allowed {
	p := safe.Allowed{Colors: r.colored()}
	if !r.OutTerminal {
		p.All = r.output.raw0
		if r.output.seq {
			p.Marks = "\x1e"
		}
	}
	return p
}

// openOutput makes what results are written to.
func (r *run) openOutput() {
	r.pass(r.passing())
	r.printed = new(atomic.Bool)
	r.out = bufio.NewWriterSize(standardOutput{r.Out, r.progress, r.printed}, 64<<10)
}
