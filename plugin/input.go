package plugin

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/pflag"

	"github.com/meshq/kubectl-meshq/query/eval"
	"github.com/meshq/kubectl-meshq/query/jsontext"
	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// inputFlags say what a query runs over instead of a mesh, and how that is
// read: jq's options.
type inputFlags struct {
	files        []string
	null         bool
	slurp        bool
	raw          bool
	stream       bool
	streamErrors bool
}

func (f *inputFlags) bind(s *pflag.FlagSet) {
	s.StringArrayVar(&f.files, "input", nil, `run the query over the JSON values of a file ("-": standard input) instead of a mesh; repeat it for several`)
	s.BoolVar(&f.null, "null-input", false, "run the query once over null, with input and inputs (jq's -n)")
	s.BoolVar(&f.slurp, "slurp", false, "run the query once over all values of --input in an array (jq's -s)")
	s.BoolVarP(&f.raw, "raw-input", "R", false, "each line of --input is a string; with --slurp all of it is one")
	s.BoolVar(&f.stream, "stream", false, "run the query over [path, leaf] of each leaf of --input, as soon as it is read")
	s.BoolVar(&f.streamErrors, "stream-errors", false, "as --stream, with [message, path] where the input goes wrong")
}

// plain tells whether the query runs over plain input.
func (f *inputFlags) plain() bool {
	return len(f.files) > 0 || f.null || f.slurp || f.raw || f.stream || f.streamErrors
}

// names are the files that are read; without any it is standard input.
func (f *inputFlags) names() []string {
	if len(f.files) == 0 {
		return []string{"-"}
	}
	return f.files
}

// overInput runs the query over plain input, as jq does: over every value, or
// once over null (--null-input), or once over all of them (--slurp).
func (r *run) overInput(ctx context.Context) error {
	values := r.openInputs(ctx, r.input.names())
	defer values.files.Close()
	o := r.options()
	o.Input, o.InputLine, o.InputName = values.next, values.line, values.fileName
	failed := error(nil)
	switch {
	case r.input.null:
		failed = r.over(ctx, nil, o)
	default:
		failed = r.each(ctx, values, o)
	}
	if values.failed {
		failed = errors.Join(failed, &exitError{exitUsage, nil}) // it was reported where it was met
	}
	return failed
}

// each runs the query over every value; an error of one is told and does not
// keep the others from being asked.
func (r *run) each(ctx context.Context, values *inputs, o eval.RunOptions) error {
	failed := error(nil)
	for {
		v, ok, err := values.next()
		if values.isSeq && errors.As(err, new(*jsontext.Error)) {
			values.report(err)
			continue
		}
		if err != nil || !ok {
			return errors.Join(err, failed)
		}
		err = r.over(ctx, v, o)
		var halt *eval.Halt
		var write *writeError
		switch {
		case errors.As(err, &halt), ctx.Err() != nil, errors.As(err, &write):
			return err
		case err != nil:
			r.message(func(w io.Writer) { fmt.Fprintln(w, "error: "+describe(err)) })
			failed = &exitError{exitRun, nil} // told already
		}
	}
}

// openOption opens what an option names. Only "-" is standard input: whatever
// is read from it is lost to every other reader.
func (w *World) openOption(ctx context.Context, path string) (io.ReadCloser, error) {
	if path == "-" {
		return io.NopCloser(transport.Patient(ctx, w.In)), nil
	}
	f, err := openFile(ctx, path)
	if err != nil && ctx.Err() == nil {
		err = usage("%s: %s", path, fact(err))
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

// A reading gives the values of a text.
type reading interface {
	Next() (any, error) // io.EOF behind the last
	Line() int          // how many lines were read
	Offset() int64      // how many bytes the values so far take
}

// inputs are the values of plain input, read as they are asked for.
type inputs struct {
	ctx     context.Context
	files   *inputFiles
	reading reading
	slurp   bool  // all that is left is one value
	slurped []any // of it
	ended   bool  // nothing is left
	err     error // that ended it
	report  func(error)
	failed  bool // something could not be read, which was reported
	isSeq   bool // behind an error the next text of the sequence is read
}

func (r *run) openInputs(ctx context.Context, names []string) *inputs {
	in := &inputs{ctx: ctx, isSeq: r.output.seq, slurp: r.input.slurp}
	in.report = func(err error) {
		in.failed = true
		r.message(func(w io.Writer) { fmt.Fprintln(w, "error: "+oneLine(err.Error())) })
	}
	in.files = &inputFiles{names: names, open: func(name string) (io.ReadCloser, error) { return r.openOption(ctx, name) }, failed: in.report}
	switch f := r.input; {
	case f.raw && f.slurp:
		in.reading, in.slurp = &rawText{in: in.files}, false
	case f.raw:
		in.reading = newRawLines(in.files)
	case f.stream || f.streamErrors || in.isSeq:
		in.reading = jsontext.NewParser(in.files, jsontext.Options{Stream: f.stream || f.streamErrors, Errors: f.streamErrors, Seq: in.isSeq})
	default:
		in.reading = decode.NewStream(in.files, limits)
	}
	return in
}

// next gives the next value; ok is false after the last.
func (in *inputs) next() (v any, ok bool, err error) {
	if !in.slurp {
		return in.read()
	}
	for {
		v, ok, err := in.read()
		if err != nil {
			return nil, false, err
		}
		if !ok {
			in.slurp = false
			return append([]any{}, in.slurped...), true, nil
		}
		in.slurped = append(in.slurped, v)
	}
}

func (in *inputs) read() (v any, ok bool, err error) {
	for in.err == nil {
		v, err := in.reading.Next()
		_, whole := in.reading.(*rawText)
		in.ended = err != nil || whole
		switch {
		case err == nil:
			return v, true, nil
		case errors.Is(err, io.EOF):
			return nil, false, nil
		case in.ctx.Err() != nil:
			in.err = &exitError{exitRun, in.ctx.Err()}
		default:
			err = &exitError{exitUsage, fmt.Errorf("%s: %w", in.files.shown(in.reading.Offset()), err)}
			if errors.As(err, new(*jsontext.Error)) { // it goes on behind that
				return nil, false, err
			}
			in.err = err
		}
	}
	return nil, false, in.err
}

// line is input_line_number: of the file that the value came from.
func (in *inputs) line() int { return in.reading.Line() - in.file().lines }

// fileName is input_filename: null before anything was read.
func (in *inputs) fileName() any {
	switch name := in.file().name; name {
	case "":
		return nil
	case "-":
		return "<stdin>"
	default:
		return name
	}
}

// file is where the value that was read last ends; the last file when nothing is
// left.
func (in *inputs) file() begunFile {
	if n := len(in.files.begun); in.ended && n > 0 {
		return in.files.begun[n-1]
	}
	return in.files.at(in.reading.Offset())
}
