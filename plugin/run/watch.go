package run

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/meshq/kubectl-meshq/plugin/process"

	"github.com/meshq/kubectl-meshq/printers"
	"github.com/meshq/kubectl-meshq/query/eval"
	"github.com/meshq/kubectl-meshq/sources/inventory"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/transport"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// A watcher repeats the query when the mesh changes, and prints results that are new
// or changed. It detects changes in the connections that istiods report and in the
// list of pods. That is enough, because every other change of a mesh leads to a
// push. As in kubectl, results that disappear are not printed.
type watcher struct {
	*Run
	answers []transport.Source
	lasting printers.Lasting // the printer that all runs of the query share; nil if each result has its own printer
	sight   *sight
	read    bool // true if at least one run of the query has succeeded
	// the fingerprints of the mesh at the last successful run: words[true]
	// covers the pods, words[false] doesn't
	words   map[bool]string
	listed  time.Time       // when the pods were last listed
	status  int             // the exit code that the results of the last run require
	told    map[string]bool // the faults that were already printed, by their text
	failing bool            // true if the last run failed and its error was printed
}

// watchOver runs --watch. It returns when ctx ends, or with an error that a
// repetition of the query can't resolve.
func watchOver(ctx context.Context, r *Run, answers []transport.Source) error {
	w := &watcher{Run: r, answers: answers, words: map[bool]string{}}
	if err := w.openPrinter(ctx); err != nil {
		return err
	}
	r.explainPlan()
	hintLabels(r)
	var pause pause
	for {
		changed, err := w.once(ctx)
		switch {
		case ctx.Err() != nil:
			return w.left(ctx)
		case err != nil && (!w.read || !passes(err)):
			return w.Ended(err)
		}
		w.tellFailure(err)
		if err := r.Sleep(ctx, pause.next(changed)); err != nil {
			return w.left(ctx)
		}
	}
}

// once runs the query if the mesh has changed since the last run.
func (w *watcher) once(ctx context.Context) (changed bool, err error) {
	err = w.Within(ctx, w.answers, func(ctx context.Context) error {
		pods := !w.read || w.Now().Sub(w.listed) >= betweenLists
		word, err := w.Mesh.Fingerprint(ctx, pods)
		if err != nil {
			return err
		}
		if pods {
			w.listed = w.Now()
		}
		if w.read && word != "" && word == w.words[pods] {
			return nil
		}
		changed = word != w.words[pods]
		if err := w.ask(ctx); err != nil {
			return err
		}
		w.status, w.read, w.listed = w.statusCode(), true, w.Now()
		w.words[pods] = word
		w.words[!pods], err = w.Mesh.Fingerprint(ctx, !pods) // sends no request, because the run has cached all responses
		return err
	})
	return changed, err
}

// betweenLists is the minimum time between two requests for the list of pods while
// no istiod reports a change. The list is expensive: its size grows with the number
// of pods.
const betweenLists = 30 * time.Second

// ask runs the query and prints new results.
func (w *watcher) ask(ctx context.Context) error {
	if w.lasting != nil {
		w.lasting.Begin(w.documentTime())
		w.sight.lasting.Begin(w.documentTime())
	}
	w.rows.begin()
	o := w.options()
	o.Finish = w.finish
	err := w.evaluate(ctx, o)
	var fault *mesh.Fault
	if errors.As(err, &fault) { // printed together with the other faults
		w.Fault(fault)
		err = nil
	}
	if w.lasting != nil && err == nil {
		err = w.lasting.Flush()
	}
	if e := w.Stdout.Flush(); err == nil {
		err = e
	}
	if err != nil {
		w.rows.end(false)
		return err
	}
	w.rows.end(w.tellNews() == 0)
	w.ExplainAsked()
	return nil
}

// openPrinter creates the printer that all repetitions share.
func (w *watcher) openPrinter(ctx context.Context) error {
	w.rows = &rows{}
	o := w.PrinterOptions(mesh.WithLost(ctx, w.Fault))
	if o.SortBy != "" {
		w.Note("--watch requested, --sort-by will be ignored")
		o.SortBy = ""
	}
	p, err := printers.New(o)
	if err != nil {
		return process.Exit(process.ExitUsage, err)
	}
	var ok bool
	if w.lasting, ok = p.(printers.Lasting); !ok {
		one := &oneByOne{options: o}
		if o.Format == "yaml" {
			one.between = "---\n"
		}
		p = one
	}
	w.Printer = p
	w.sight, err = newSight(o)
	return err
}

// finish renders a result and records its subject and content, so that the next run
// can detect whether the result is new or changed.
func (w *watcher) finish(ctx context.Context, v any) (any, error) {
	finished, err := w.Run.finish(ctx, v)
	if err != nil || w.Quiet {
		return finished, err
	}
	res := finished.(*result)
	if !res.dropped {
		res.seen, err = w.sight.see(ctx, v)
	}
	return res, err
}

// tellNews prints the faults that didn't occur in the previous run. It returns the
// number of all faults of this run.
func (w *watcher) tellNews() int {
	var news []*mesh.Fault
	known := map[string]bool{}
	all := w.metFaults()
	for _, f := range all {
		known[f.Error()] = true
		if !w.told[f.Error()] {
			news = append(news, f)
		}
	}
	w.told = known
	w.printFaults(news)
	return len(all)
}

// tellFailure prints the error when a run fails. It prints no further error until a
// run has succeeded again.
func (w *watcher) tellFailure(err error) {
	if err != nil && !w.failing {
		w.Message(func(out io.Writer) { fmt.Fprintln(out, "error: "+Describe(err)+"; trying again") })
	}
	w.failing = err != nil
}

// passes reports whether an error may be temporary, so that repeating the query
// makes sense.
func passes(err error) bool {
	var halt *eval.Halt
	var write *process.WriteError
	var exit *process.ExitError
	switch {
	case apierrors.IsUnauthorized(err):
		// this error is final; "forbidden" isn't, because an API server that has just
		// started may return it for a moment
		return false
	case errors.As(err, new(*inventory.UnreadableError)), errors.As(err, new(*inventory.UnknownProxyError)),
		errors.As(err, new(*inventory.UnknownNamespaceError)):
		return true
	case errors.As(err, &halt), errors.As(err, &write), errors.As(err, &exit), process.ReaderLeft(err):
		return false
	}
	return true
}

// left returns the final error of a run that was stopped by the user or by
// --timeout. The exit code is 0 if at least one run succeeded and neither the
// results nor the faults of the last run require another code.
func (w *watcher) left(ctx context.Context) error {
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return process.Exit(process.ExitInterrupted, nil)
	case !w.read:
		return w.Ended(process.Exit(process.ExitRun, ctx.Err()))
	}
	codes := []int{w.status}
	if len(w.told) > 0 && !w.lenient() {
		codes = append(codes, process.ExitPartial)
	}
	if code := process.Strongest(codes...); code != process.ExitOK {
		return process.Exit(code, nil)
	}
	return nil
}
