package input

import (
	"github.com/meshq/kubectl-meshq/plugin/options"

	"context"
	"errors"
	"fmt"
	"io"

	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/query/jsontext"
	"github.com/meshq/kubectl-meshq/sources/decode"
)

// A reader reads the values in a text one after another.
type reader interface {
	Next() (any, error) // returns io.EOF after the last value
	Line() int          // the number of lines that were read
	Offset() int64      // the number of bytes up to the end of the last value that was read
}

// Inputs are the values of --input, over which a query runs instead of a mesh. Each
// value is read when the query needs it.
type Inputs struct {
	Failed bool // true if a file or a value could not be read; the error was already reported

	ctx     context.Context
	files   *files
	reader  reader
	report  func(error)
	isSeq   bool  // true if RS separates the texts; reading then continues after an invalid text
	slurp   bool  // true if the remaining values are returned as one array
	slurped []any // the values of the array for slurp, so far; they are kept when Next returns an error
	isDone  bool  // true if no more values follow
	err     error // the error that ended the reading
}

// Open returns the values in the named files; "-" is standard input. The flags
// select the format. If isSeq is set, RS separates the texts (RFC 7464). report is
// called with the error if a file can't be opened, or if a text of an RS-separated
// sequence isn't JSON. Both are skipped.
func Open(ctx context.Context, w *process.World, f options.InputFlags, names []string, isSeq bool, report func(error)) *Inputs {
	in := &Inputs{ctx: ctx, isSeq: isSeq, slurp: f.Slurp}
	in.report = func(err error) {
		in.Failed = true
		report(errors.New(process.OneLine(err.Error())))
	}
	in.files = &files{names: names, open: func(name string) (io.ReadCloser, error) { return w.OpenOption(ctx, name) }, report: in.report}
	switch {
	case f.Raw && f.Slurp:
		in.reader, in.slurp = &rawText{in: in.files}, false
	case f.Raw:
		in.reader = newRawLines(in.files)
	case f.Stream || f.StreamErrors || isSeq:
		in.reader = jsontext.NewParser(in.files, jsontext.Options{Stream: f.Stream || f.StreamErrors, Errors: f.StreamErrors, Seq: isSeq})
	default:
		in.reader = decode.NewStream(in.files, process.Limits)
	}
	return in
}

// Close closes the file that is being read.
func (in *Inputs) Close() error { return in.files.Close() }

// NextWellFormed is like Next, but skips texts of an RS-separated sequence that
// aren't JSON. It reports their errors.
func (in *Inputs) NextWellFormed() (v any, ok bool, err error) {
	for {
		v, ok, err := in.Next()
		if !in.isSeq || !errors.As(err, new(*jsontext.Error)) {
			return v, ok, err
		}
		in.report(err)
	}
}

// Next returns the next value. ok is false if there are no more values.
func (in *Inputs) Next() (v any, ok bool, err error) {
	if !in.slurp {
		return in.read()
	}
	for {
		v, ok, err := in.read()
		switch {
		case err != nil:
			return nil, false, err
		case !ok:
			in.slurp = false
			return append([]any{}, in.slurped...), true, nil
		}
		in.slurped = append(in.slurped, v)
	}
}

func (in *Inputs) read() (v any, ok bool, err error) {
	for in.err == nil {
		v, err := in.reader.Next()
		_, whole := in.reader.(*rawText)
		in.isDone = err != nil || whole
		switch {
		case err == nil:
			return v, true, nil
		case errors.Is(err, io.EOF):
			return nil, false, nil
		case in.ctx.Err() != nil:
			in.err = process.Exit(process.ExitRun, in.ctx.Err())
		default:
			err = process.Exit(process.ExitUsage, fmt.Errorf("%s: %w", in.files.shown(in.reader.Offset()), err))
			if errors.As(err, new(*jsontext.Error)) { // the parser can continue after the invalid text
				return nil, false, err
			}
			in.err = err
		}
	}
	return nil, false, in.err
}

// Line returns the value of jq's input_line_number: the number of lines that were
// read from the current file.
func (in *Inputs) Line() int { return in.reader.Line() - in.file().lines }

// FileName returns the value of jq's input_filename. It is nil before the first
// value.
func (in *Inputs) FileName() any {
	switch name := in.file().name; name {
	case "":
		return nil
	case "-":
		return "<stdin>"
	default:
		return name
	}
}

// file returns the file in which the last value ends. If there are no more
// values, it returns the last file.
func (in *Inputs) file() begunFile {
	if n := len(in.files.begun); in.isDone && n > 0 {
		return in.files.begun[n-1]
	}
	return in.files.at(in.reader.Offset())
}
