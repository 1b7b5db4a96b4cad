package run

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/sources/inventory"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// A waiter repeats a query until the last value of the query is true.
type waiter struct {
	*Run
	answers []transport.Source
	read    bool   // true if the mesh has been read at least once
	state   string // a description of how the last evaluation ended
	code    int    // the exit code of the run if no further evaluation follows
}

// waitFor runs the command wait. It returns when the last value of the query is
// true, at the timeout, or at an error that a retry can't resolve.
func waitFor(ctx context.Context, r *Run, answers []transport.Source) error {
	w := &waiter{Run: r, answers: answers, state: "nothing was read yet", code: process.ExitFound}
	r.Quiet = true
	r.explainPlan()
	once := r.Timeout == 0 || len(r.Snapshots) > 0
	var pause pause
	for {
		before := w.state
		err := w.ask(ctx)
		switch {
		case ctx.Err() != nil:
			return w.late(ctx)
		case err != nil && (once || !w.passes(err)):
			return w.Ended(err)
		case err == nil && w.code == process.ExitOK:
			err := w.Ended(nil)
			r.ExplainAsked()
			return err
		case once:
			return w.unmet("")
		}
		r.Progress.Wait("waiting: " + process.OneLine(w.state))
		if err := r.Sleep(ctx, pause.next(w.state != before)); err != nil {
			return w.late(ctx)
		}
	}
}

// ask evaluates the query once. It stores the outcome in the fields state and
// code.
func (w *waiter) ask(ctx context.Context) error {
	err := w.Within(ctx, w.answers, func(ctx context.Context) error { return w.evaluate(ctx, w.options()) })
	if ctx.Err() != nil {
		return err // an interrupted evaluation has no outcome
	}
	w.read = w.read || !errors.As(err, new(*inventory.UnreadableError))
	var fault *mesh.Fault
	switch {
	case errors.As(err, &fault):
		w.Fault(fault)
		w.state, w.code, err = fault.Error(), process.ExitFound, nil
	case err != nil:
		w.state, w.code = Describe(err), process.ExitFound
		if !w.read {
			w.code = exitCode(err)
		}
	case w.Results == 0:
		w.state, w.code = "there was no result", process.ExitFound
	case w.null:
		w.state, w.code = "the last value was null", process.ExitFound
	case !w.last:
		w.state, w.code = "the last value was false", process.ExitFound
	case len(w.metFaults()) > 0 && !w.AllowPartial:
		w.state, w.code = "the last value was true, but not all of the mesh could be read", process.ExitPartial
	default:
		w.code = process.ExitOK
	}
	return err
}

// passes reports whether an error may disappear when the query is repeated. Until
// an evaluation has read the mesh successfully, every error is final.
func (w *waiter) passes(err error) bool { return w.read && passes(err) }

// late returns the error of a run that was ended by the user or the timeout.
func (w *waiter) late(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return process.Exit(process.ExitRun, ctx.Err())
	}
	return w.unmet(fmt.Sprintf("timed out after %gs: ", w.Timeout.Seconds()))
}

// unmet returns the error of a run whose condition never became true. Its message
// begins with the text why.
func (w *waiter) unmet(why string) error {
	w.TellFaults()
	w.ExplainAsked()
	return process.Exit(w.code, &unmetError{why + w.state})
}

// unmetError reports that the condition of the command wait isn't true. Its
// text is safe to print and may contain the position of an error in the query.
type unmetError struct{ text string }

func (e *unmetError) Error() string { return e.text }

const (
	shortestPause = time.Second
	longestPause  = 5 * time.Second
)

// A pause is the time to wait before the next evaluation. It grows while the outcome
// of the evaluations stays the same.
type pause time.Duration

func (p *pause) next(changed bool) time.Duration {
	*p = min(*p*3/2, pause(longestPause))
	if changed || *p == 0 {
		*p = pause(shortestPause)
	}
	return time.Duration(*p)
}
