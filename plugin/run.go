package plugin

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/meshq/kubectl-meshq/printers"
	"github.com/meshq/kubectl-meshq/query"
	"github.com/meshq/kubectl-meshq/query/eval"
	"github.com/meshq/kubectl-meshq/sources"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/section"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// run is one query being answered.
type run struct {
	*World
	*flags
	argv    *command
	asked   *asked
	changed func(flag string) bool

	labels  labels.Selector // of the proxies that are asked about
	mesh    *sources.Mesh
	program *query.Program
	names   []string // of variables
	values  []any
	out     *bufio.Writer
	started time.Time
	printer printers.Printer
	notes   map[string]bool

	progress *progress // nil: none is shown
	rows     *rows     // of --watch; nil: all results are printed
	cancel   context.CancelCauseFunc

	printed *atomic.Bool // something is on standard output
	repeats bool         // a round may be run again
	again   bool         // it is: everything is asked for at once

	results  int
	unknowns unknowns
	last     bool // whether the last result was true, for -e
	null     bool // whether it was null
	faults   faults
}

// do compiles, opens, runs, prints, and says what could not be had. The order
// is that of cost: a mistake in the query is told before anything is read.
func (r *run) do(ctx context.Context) (err error) {
	if !r.plain() {
		defer r.showProgress()()
	}
	closeModules, err := r.prepare(ctx)
	if err != nil {
		return err
	}
	defer closeModules() // not before the end: modulemeta reads while the query runs
	if r.plain() {
		if err := r.openPrinter(ctx); err != nil {
			return err
		}
		return r.ended(r.overInput(ctx))
	}
	answers, err := r.openSources(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeAll(answers)) }()
	switch {
	case r.await:
		return r.waitFor(ctx, answers)
	case r.watch:
		return r.watchOver(ctx, answers)
	}
	return r.round(ctx, answers)
}

// prepare does all that needs no mesh.
func (r *run) prepare(ctx context.Context) (closeModules func(), err error) {
	if err := r.checkLevels(); err != nil {
		return nil, err
	}
	if err := r.variables(ctx); err != nil {
		return nil, err
	}
	r.openOutput()
	r.started = r.Now()
	o := r.printerOptions(ctx)
	if err := o.Validate(); err != nil {
		return nil, &exitError{exitUsage, err}
	}
	if r.labels, err = labels.Parse(r.selector); err != nil {
		return nil, usage("-l %s: %s", r.selector, fact(err))
	}
	modules, closeModules, err := r.modules()
	if err != nil {
		return nil, err
	}
	if err := r.compile(modules); err != nil {
		closeModules()
		return nil, err
	}
	return closeModules, nil
}

// round makes the document anew over the sources and prints what the query
// gives.
func (r *run) round(ctx context.Context, answers []transport.Source) error {
	r.repeats = true
	anew := false
	once := func(ctx context.Context) error {
		if !r.again {
			if err := r.setLevels(ctx); err != nil {
				return err
			}
		}
		if err := r.openPrinter(ctx); err != nil {
			return err
		}
		if !r.again {
			r.explainPlan()
			r.hintLabels()
		}
		err := r.evaluate(ctx, r.options())
		if anew = r.anew(ctx); anew {
			r.explainAsked()
			return nil
		}
		err = r.ended(err)
		r.explainAsked()
		return err
	}
	err := r.within(ctx, answers, once)
	if err != nil || !anew {
		return err
	}
	return r.within(ctx, answers, once)
}

// within makes the document over the sources, for as long as look needs it.
func (r *run) within(ctx context.Context, answers []transport.Source, look func(context.Context) error) (err error) {
	r.started, r.faults, r.results, r.unknowns, r.last = r.Now(), faults{}, 0, unknowns{}, false
	ctx, r.cancel = context.WithCancelCause(ctx)
	defer r.cancel(nil)
	if err := r.openMesh(ctx, answers); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.mesh.Close()) }()
	r.progress.follow(r.mesh.Progress)
	return look(ctx)
}

// evaluate runs the query over the document.
func (r *run) evaluate(ctx context.Context, o eval.RunOptions) error {
	err := r.over(ctx, r.mesh.Document(), o)
	if cause := new(exitError); errors.As(context.Cause(ctx), &cause) {
		err = cause
	}
	return err
}

func (r *run) compile(modules []fs.FS) (err error) {
	o := query.Options{
		File: r.asked.file, Variables: r.names, Modules: modules, Data: decodeFile,
		FieldHint: fieldHint(), Plain: r.plain(),
	}
	if q := r.asked.named; q != nil && !r.plain() {
		o.Unknown = q.Unknown()
	}
	o.Doors.Desired = func(ctx context.Context, p *mesh.Object) (*mesh.Object, error) { return r.mesh.Desired(ctx, p) }
	o.Doors.Document = func() any { return r.mesh.Document() }
	if r.allowEnv {
		o.Env = r.environment()
	}
	if r.program, err = query.Compile(r.asked.query, o); err != nil {
		return &exitError{exitCompile, err}
	}
	if !r.asked.ours {
		for _, d := range r.program.Doubts() {
			r.noteLines(withPlace(d))
		}
	}
	return nil
}

// options are those of a run over the mesh.
func (r *run) options() eval.RunOptions {
	return eval.RunOptions{
		Held:    r.held,
		Workers: r.concurrency, All: true, Memory: int64(r.memory), Note: r.note,
		Debug:  func(v any) { r.message(func(w io.Writer) { writeJSON(w, []any{"DEBUG:", v}); fmt.Fprintln(w) }) },
		Stderr: func(v any) { r.message(func(w io.Writer) { writeJSON(w, v) }) },
		Finish: r.finish,
		Fault:  r.fault,
		Now:    r.now,
	}
}

// held is what the document holds in memory: it has a bound of its own.
func (r *run) held() int64 {
	if r.mesh == nil {
		return 0
	}
	return r.mesh.Memory().Memory
}

// message prints on stderr, after what was printed before it.
func (r *run) message(print func(io.Writer)) {
	r.out.Flush()
	print(r.Err)
}

// documentTime is what now is: a snapshot's own time, else that at which the
// run began.
func (r *run) documentTime() time.Time {
	if r.mesh != nil {
		return r.mesh.Now()
	}
	return r.started
}

func (r *run) now() float64 { return float64(r.documentTime().UnixMicro()) / 1e6 }

// finish makes a result ready to be printed, where it was found: several at
// once, ahead of the printing.
func (r *run) finish(ctx context.Context, v any) (any, error) {
	check := unknownCheck(v)
	if r.quiet {
		if k, ok := v.(mesh.Known); ok && k.IsObject() && !r.asked.traces {
			return &result{truth: true}, nil
		}
		is, null, err := r.truth(ctx, v)
		return &result{truth: is, null: null, unknown: check}, err
	}
	res := &result{truth: true, unknown: check}
	var err error
	res.rendered, err = r.printer.Render(mesh.WithLost(ctx, res.lose), v)
	switch {
	case errors.As(err, new(*mesh.Fault)):
		return nil, err
	case err != nil && len(res.lost) > 0: // a template that stumbled over what can't be had
		res.dropped = true
		return res, nil
	case err != nil:
		return nil, err
	}
	if r.exitStatus {
		res.truth, _, err = r.truth(ctx, v)
	}
	return res, err
}

// result is one result, ready to be printed.
type result struct {
	rendered any
	truth    bool   // for -e
	null     bool   // with --quiet
	unknown  string // of a finding that could not be judged, its check
	dropped  bool   // it can't be printed without what is lost
	seen     seen   // for --watch

	mu   sync.Mutex
	lost []*mesh.Fault // what is left out of it
}

func (r *result) lose(f *mesh.Fault) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lost = append(r.lost, f)
}

func truth(v any) bool { return v != nil && v != false }

// over runs the program over one value and prints its results.
func (r *run) over(ctx context.Context, in any, o eval.RunOptions) error {
	return r.program.Run(ctx, in, r.values, o, func(v any) error {
		res := v.(*result)
		for _, f := range res.lost {
			r.fault(f)
		}
		if res.dropped {
			return nil
		}
		r.results++
		r.unknowns.add(res.unknown)
		r.last, r.null = res.truth, res.null
		if r.quiet || r.unchanged(res) {
			return nil
		}
		if err := r.printer.Print(res.rendered); err != nil {
			return err
		}
		if r.OutTerminal || r.unbuffered {
			return r.out.Flush()
		}
		return nil
	})
}

// ended prints what is left, tells the faults and decides the exit code.
func (r *run) ended(err error) error {
	if !r.quiet && !errors.As(err, new(*section.TooManyError)) { // an empty List would look like an answer
		if e := r.printer.Close(); err == nil {
			err = e
		}
	}
	if e := r.out.Flush(); err == nil {
		err = e
	}
	if readerLeft(err) { // the reader has what it wanted
		err = nil
	}
	codes := []int{r.statusCode()}
	var halt *eval.Halt
	var fault *mesh.Fault
	switch {
	case errors.As(err, &halt): // the query says how it ends, as in jq: -e has no say
		codes = []int{r.halted(halt)}
		err = nil
	case errors.As(err, &fault): // told with the others
		r.fault(fault)
		err = nil
	case err != nil:
		codes = append(codes, exitCode(err))
	}
	if faults := r.tellFaults(); (faults > 0 || r.unknowns.count > 0) && !r.lenient() {
		codes = append(codes, exitPartial)
	}
	if r.unknowns.count > 0 {
		r.message(func(w io.Writer) { fmt.Fprintln(w, &r.unknowns) })
	}
	r.hints(err)
	if code := strongest(codes...); code != exitOK {
		return &exitError{code, err}
	}
	return nil
}

// halted prints what halt_error was given and gives its exit code.
func (r *run) halted(h *eval.Halt) int {
	if h.HasValue {
		if s, ok := h.Value.(string); ok {
			fmt.Fprint(r.Err, s)
		} else {
			writeJSON(r.Err, h.Value)
			fmt.Fprintln(r.Err)
		}
	}
	return h.Code
}

// note tells something once, on a line of stderr.
func (r *run) note(text string) { r.noteLines(oneLine(text)) }

// noteLines is note for lines that are fit to be told.
func (r *run) noteLines(text string) {
	if r.notes == nil {
		r.notes = map[string]bool{}
	}
	if !r.notes[text] {
		r.notes[text] = true
		r.message(func(w io.Writer) { fmt.Fprintln(w, "note: "+text) })
	}
}

// plural counts things: "1 proxy", "3 proxies".
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
