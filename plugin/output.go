package plugin

import (
	"bufio"
	"io"
	"sync/atomic"
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

// openOutput makes what results are written to.
func (r *run) openOutput() {
	r.printed = new(atomic.Bool)
	r.out = bufio.NewWriterSize(standardOutput{r.Out, r.progress, r.printed}, 64<<10)
}
