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

// overInput runs the query over plain input, as jq does: over every value, or
// once over null (--null-input), or once over all of them (--slurp).
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
		err = errors.Join(err, process.Exit(process.ExitUsage, nil)) // the reason was printed when it was found
	}
	return err
}

// overEach runs the query over every value. An error of one value is printed,
// and the query is run over the next.
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
			failed = process.Exit(process.ExitRun, nil) // the reason is printed
		}
	}
}

func (r *Run) printError(err error) {
	r.Message(func(w io.Writer) { fmt.Fprintln(w, "error: "+err.Error()) })
}

// FirstInput returns the first value of --input for completion, and false if
// there is none. It opens regular files only: reading from standard input or a
// pipe would take the value from the query that is run later.
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
