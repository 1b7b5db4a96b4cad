package run

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/meshq/kubectl-meshq/plugin/input"
	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/query/eval"
)

// overInput runs the query over plain input, as jq does: once for each value, once
// for null (--null-input), or once for an array of all values (--slurp).
func (r *Run) overInput(ctx context.Context) (err error) {
	values := input.Open(ctx, r.World, r.Input, r.Input.Names(), r.Output.Seq, r.printError)
	defer values.Close()
	o := r.options()
	o.Input, o.InputLine, o.InputName = values.Next, values.Line, values.FileName
	if r.Input.Null {
		err = r.over(ctx, nil, o)
	} else {
		err = r.overEach(ctx, values, o)
	}
	if values.Failed {
		// the reason was already printed when the error occurred
		err = errors.Join(err, process.Exit(process.ExitUsage, nil))
	}
	return err
}

// overEach runs the query once for each value. If the query fails for one value,
// overEach prints the error and continues with the next value.
func (r *Run) overEach(ctx context.Context, values *input.Inputs, o eval.RunOptions) (failed error) {
	for {
		v, ok, err := values.NextWellFormed()
		if err != nil || !ok {
			return errors.Join(err, failed)
		}
		err = r.over(ctx, v, o)
		switch {
		case errors.As(err, new(*eval.Halt)), ctx.Err() != nil, errors.As(err, new(*process.WriteError)):
			return err
		case err != nil:
			r.printError(errors.New(Describe(err)))
			failed = process.Exit(process.ExitRun, nil) // the reason was already printed above
		}
	}
}

func (r *Run) printError(err error) {
	r.Message(func(w io.Writer) { fmt.Fprintln(w, "error: "+err.Error()) })
}

// FirstInput returns the first value of --input, for completion. It returns false if
// there is none. It opens only regular files, because reading standard input or a
// pipe would remove the value from the input of the query that is run later.
func (r *Run) FirstInput(ctx context.Context) (any, bool) {
	if len(r.Input.Files) == 0 || r.Input.Null {
		return nil, false
	}
	name := r.Input.Files[0]
	if info, err := os.Stat(name); err != nil || !info.Mode().IsRegular() {
		return nil, false
	}
	values := input.Open(ctx, r.World, r.Input, []string{name}, r.Output.Seq, func(error) {})
	defer values.Close()
	v, ok, err := values.Next()
	if r.Input.Slurp {
		v = []any{v}
	}
	return v, ok && err == nil
}
