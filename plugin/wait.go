package plugin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshq/kubectl-meshq/sources/inventory"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// waitName is the command's, as a first word.
const waitName = "wait"

// waitTimeout is how long wait waits unless --timeout says so, as in kubectl.
const waitTimeout = 30 * time.Second

const waitLong = `Ask the query again and again, and end well as soon as its last value is true: neither false nor null.

The query and the words behind it are as without "wait". A query that fails is asked again: what it looks for may not
be there yet. A value that is true where not all of the mesh could be read counts with --allow-partial only. When the
time is over the exit code is 1, and what the last value was is told on stderr. --timeout 0 asks once; so does a
snapshot, which does not change.`

// waitCommand is "wait QUERY [PROXY…]".
func waitCommand(w *World, f *flags, root *rootCommand) *cobra.Command {
	name := calledAs(w.Args[0])
	cmd := &cobra.Command{
		Use:   waitName + " QUERY [PROXY…]",
		Short: "Wait until the last value of a query is true",
		Long:  waitLong,
		Example: indent([]string{
			name + ` wait 'all(.proxies[]; synced)' --timeout 60s`,
			name + ` wait '.proxy("reviews-v3") | .ready and synced'`,
		}),
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, words []string) error {
			f.await = true
			if len(words) == 0 && len(f.files) == 0 && f.query == "" {
				return usage("wait: no query to wait for")
			}
			if !cmd.Flags().Changed("timeout") {
				f.timeout = waitTimeout
			}
			return runWords(cmd.Context(), w, f, root.argv, words, cmd)
		},
	}
	f.bindWait(cmd.Flags())
	return cmd
}

// A waiter asks a query until its last value is true.
type waiter struct {
	*run
	answers []transport.Source
	read    bool   // the mesh was, once
	state   string // how the last round ended
	code    int    // what the run ends with, were that round the last
}

// waitFor is the command wait. It ends when the value is true, when the time
// is over, or with an error that won't pass.
func (r *run) waitFor(ctx context.Context, answers []transport.Source) error {
	w := &waiter{run: r, answers: answers, state: "nothing was read yet", code: exitFound}
	r.quiet = true
	r.explainPlan()
	once := r.timeout == 0 || len(r.snapshots) > 0
	var pause pause
	for {
		before := w.state
		err := w.ask(ctx)
		switch {
		case ctx.Err() != nil:
			return w.late(ctx)
		case err != nil && (once || !w.passes(err)):
			return w.ended(err)
		case err == nil && w.code == exitOK:
			err := w.ended(nil)
			r.explainAsked()
			return err
		case once:
			return w.unmet("")
		}
		r.progress.wait("waiting: " + oneLine(w.state))
		if err := r.Sleep(ctx, pause.next(w.state != before)); err != nil {
			return w.late(ctx)
		}
	}
}

// ask asks the query once, and keeps how that ended.
func (w *waiter) ask(ctx context.Context) error {
	err := w.within(ctx, w.answers, func(ctx context.Context) error { return w.evaluate(ctx, w.options()) })
	if ctx.Err() != nil {
		return err // it was cut short, and says nothing
	}
	w.read = w.read || !errors.As(err, new(*inventory.UnreadableError))
	var fault *mesh.Fault
	switch {
	case errors.As(err, &fault):
		w.fault(fault)
		w.state, w.code, err = fault.Error(), exitFound, nil
	case err != nil:
		w.state, w.code = describe(err), exitFound
		if !w.read {
			w.code = exitCode(err)
		}
	case w.results == 0:
		w.state, w.code = "there was no result", exitFound
	case w.null:
		w.state, w.code = "the last value was null", exitFound
	case !w.last:
		w.state, w.code = "the last value was false", exitFound
	case len(w.metFaults()) > 0 && !w.allowPartial:
		w.state, w.code = "the last value was true, but not all of the mesh could be read", exitPartial
	default:
		w.code = exitOK
	}
	return err
}

// passes tells whether an error may be over when the query is asked again. A
// mesh that can't be read at all is no mesh to wait for, until it once was.
func (w *waiter) passes(err error) bool { return w.read && passes(err) }

// late ends the run where its time is over, or the user ended it.
func (w *waiter) late(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return &exitError{exitRun, ctx.Err()}
	}
	return w.unmet(fmt.Sprintf("timed out after %gs: ", w.timeout.Seconds()))
}

// unmet ends the run without what was waited for.
func (w *waiter) unmet(why string) error {
	w.tellFaults()
	w.explainAsked()
	return &exitError{w.code, &unmetError{why + w.state}}
}

// unmetError says that what was waited for is not so. Its text is fit to be
// told; the place in a query may be shown in it.
type unmetError struct{ text string }

func (e *unmetError) Error() string { return e.text }
