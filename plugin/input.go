package plugin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/meshq/kubectl-meshq/query/eval"
	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// overInput runs the query over plain JSON, as jq does: over every value, or
// once over null (--null-input), or once over all of them (--slurp).
func (r *run) overInput(ctx context.Context) error {
	in, err := r.openOption(ctx, cmp.Or(r.input, "-"))
	if err != nil {
		return err
	}
	defer in.Close()
	values := &inputs{ctx: ctx, name: fileName(r.input), stream: decode.NewStream(in, limits)}
	o := r.options()
	o.Input, o.InputLine = values.next, values.stream.Line
	if r.input != "" && r.input != "-" {
		o.InputName = r.input
	}
	if r.slurp {
		all, err := values.rest()
		if err != nil {
			return err
		}
		if r.nullInput {
			values.queue = []any{all}
		} else {
			return r.over(ctx, all, o)
		}
	}
	if r.nullInput {
		return r.over(ctx, nil, o)
	}
	return r.each(ctx, values, o)
}

// each runs the query over every value; an error of one is told and does not
// keep the others from being asked.
func (r *run) each(ctx context.Context, values *inputs, o eval.RunOptions) error {
	failed := error(nil)
	for {
		v, ok, err := values.next()
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

// inputs are the values of --input, read as they are asked for.
type inputs struct {
	ctx    context.Context
	name   string
	stream *decode.Stream
	queue  []any
	failed error
}

// next gives the next value; ok is false after the last.
func (in *inputs) next() (v any, ok bool, err error) {
	if len(in.queue) > 0 {
		v, in.queue = in.queue[0], in.queue[1:]
		return v, true, nil
	}
	if in.failed != nil {
		return nil, false, in.failed
	}
	v, err = in.stream.Next()
	if errors.Is(err, io.EOF) {
		return nil, false, nil
	}
	switch {
	case in.ctx.Err() != nil:
		in.failed = &exitError{exitRun, in.ctx.Err()}
		return nil, false, in.failed
	case err != nil:
		in.failed = &exitError{exitUsage, fmt.Errorf("%s: %w", in.name, err)}
		return nil, false, in.failed
	}
	return v, true, nil
}

func (in *inputs) rest() ([]any, error) {
	all := []any{}
	for {
		v, ok, err := in.next()
		if err != nil || !ok {
			return all, err
		}
		all = append(all, v)
	}
}
