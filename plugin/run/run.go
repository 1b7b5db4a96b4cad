package run

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/meshq/kubectl-meshq/plugin/input"
	"github.com/meshq/kubectl-meshq/plugin/options"
	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/plugin/saved"
	"github.com/meshq/kubectl-meshq/printers"
	"github.com/meshq/kubectl-meshq/query"
	"github.com/meshq/kubectl-meshq/query/eval"
	"github.com/meshq/kubectl-meshq/query/shipped"
	"github.com/meshq/kubectl-meshq/sources"
	"github.com/meshq/kubectl-meshq/sources/inventory"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/redact"
	"github.com/meshq/kubectl-meshq/sources/section"
	"github.com/meshq/kubectl-meshq/sources/transport"
	"k8s.io/apimachinery/pkg/labels"
)

// A Run is one run of a query. It has the query, its inputs, the printer of its
// results, and the state of the run.
type Run struct {
	*process.World
	*options.Flags
	Argv    *options.CommandLine
	Request *Request
	Changed func(flag string) bool

	Labels  labels.Selector // the label selector for proxies
	Mesh    *sources.Mesh
	Program *query.Program
	names   []string // the names of the query's variables, in the order of Values
	Values  []any
	Stdout  *bufio.Writer
	Started time.Time
	Printer printers.Printer
	notes   map[string]bool

	session  *Session  // keeps the mesh open between the runs of a session; nil if there is only this run
	Progress *Progress // the progress line; nil if no progress is shown
	rows     *rows     // detects the new and changed results of --watch; nil if all results are printed
	cancel   context.CancelCauseFunc
	spooled  *transport.Quota // the size limit for the temporary files of all sources; nil until it is needed

	Results  int
	unknowns unknowns
	last     bool // true if the last result was true, for -e
	null     bool // true if the last result was null
	faults   faults
}

// Do runs the query. It checks the command line and compiles the query before
// it reads the mesh, so that mistakes are reported early. The error is an
// ExitError with the exit code.
func (r *Run) Do(ctx context.Context) (err error) {
	if !r.Plain() {
		defer r.ShowProgress()()
	}
	closeModules, err := r.prepare(ctx)
	if err != nil {
		return err
	}
	defer closeModules() // modules stay open until the end, because modulemeta reads them while the query runs
	if r.Plain() {
		if err := r.OpenPrinter(ctx); err != nil {
			return err
		}
		return r.Ended(r.overInput(ctx))
	}
	answers, err := r.OpenSources(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, CloseAll(ctx, answers)) }()
	switch {
	case r.Await:
		return waitFor(ctx, r, answers)
	case r.Watch:
		return watchOver(ctx, r, answers)
	}
	return r.Within(ctx, answers, r.printResults)
}

// prepare does the steps of a run that need no mesh: it checks the flags, opens the
// output and compiles the query. closeModules closes the module folders. It is
// called at the end of the run, because modulemeta reads modules while the query
// runs.
func (r *Run) prepare(ctx context.Context) (closeModules func(), err error) {
	if err := checkLevels(r); err != nil {
		return nil, err
	}
	if err := r.Variables(ctx); err != nil {
		return nil, err
	}
	r.OpenOutput()
	r.Started = r.Now()
	o := r.PrinterOptions(ctx)
	if err := o.Validate(); err != nil {
		return nil, process.Exit(process.ExitUsage, err)
	}
	if r.Labels, err = labels.Parse(r.Selector); err != nil {
		return nil, process.Usagef("-l %s: %s", r.Selector, process.Fact(err))
	}
	modules, closeModules, err := r.Modules()
	if err != nil {
		return nil, err
	}
	if err := r.Compile(modules); err != nil {
		closeModules()
		return nil, err
	}
	return closeModules, nil
}

// printResults runs the query over the document and prints its results.
func (r *Run) printResults(ctx context.Context) error {
	if err := setLevels(ctx, r); err != nil {
		return err
	}
	if err := r.OpenPrinter(ctx); err != nil {
		return err
	}
	r.explainPlan()
	hintLabels(r)
	err := r.Ended(r.evaluate(ctx, r.options()))
	r.ExplainAsked()
	return err
}

// Within opens the document of the mesh over the sources, calls look, and
// closes the document.
func (r *Run) Within(ctx context.Context, answers []transport.Source, look func(context.Context) error) (err error) {
	r.Started, r.faults, r.Results, r.unknowns, r.last = r.Now(), faults{}, 0, unknowns{}, false
	ctx, r.cancel = context.WithCancelCause(ctx)
	defer r.cancel(nil)
	if s := sessionOf(ctx); s != nil && !r.Watch && !r.Await {
		if err := s.mesh(r, answers); err != nil {
			return err
		}
		r.session = s
	} else if err := r.OpenMesh(ctx, answers); err != nil {
		return err
	} else {
		defer func() { err = errors.Join(err, r.Mesh.Close()) }()
	}
	r.Progress.Follow(r.Mesh.Progress)
	return look(ctx)
}

// evaluate runs the query over the document.
func (r *Run) evaluate(ctx context.Context, o eval.RunOptions) error {
	err := r.over(ctx, r.Mesh.Document(), o)
	if cause := new(process.ExitError); errors.As(context.Cause(ctx), &cause) {
		err = cause
	}
	return err
}

// Compile compiles the query of the request.
func (r *Run) Compile(modules []fs.FS) (err error) {
	o := query.Options{
		File: r.Request.File, Variables: r.names, Modules: modules, Data: input.DecodeFile,
		FieldHint: fieldHint(), Plain: r.Plain(),
	}
	if q := r.Request.named; q != nil && !r.Plain() {
		o.Unknown = q.Unknown()
	}
	o.Doors.Desired = func(ctx context.Context, p *mesh.Object) (*mesh.Object, error) { return r.Mesh.Desired(ctx, p) }
	o.Doors.Document = func() any { return r.Mesh.Document() }
	if r.AllowEnv {
		o.Env = r.Environment()
	}
	if r.Program, err = query.Compile(r.Request.Query, o); err != nil {
		return process.Exit(process.ExitCompile, err)
	}
	if !r.Request.Ours {
		for _, d := range r.Program.Doubts() {
			r.noteLines(withPlace(d))
		}
	}
	return nil
}

// options returns the options of an evaluation.
func (r *Run) options() eval.RunOptions {
	return eval.RunOptions{
		Held:    r.held,
		Workers: r.Concurrency, All: true, Memory: int64(r.Memory), Note: r.Note,
		Debug:  func(v any) { r.Message(func(w io.Writer) { WriteJSON(w, []any{"DEBUG:", v}); fmt.Fprintln(w) }) },
		Stderr: func(v any) { r.Message(func(w io.Writer) { WriteJSON(w, v) }) },
		Finish: r.finish,
		Fault:  r.Fault,
		Now:    r.Seconds,
	}
}

// held returns how many bytes of memory the document uses. They don't count
// towards the query's own memory limit, because the document has a separate
// limit.
func (r *Run) held() int64 {
	if r.Mesh == nil {
		return 0
	}
	return r.Mesh.Memory().Memory
}

// Message prints a message on standard error. It flushes the results first, so
// that both appear in order on a terminal.
func (r *Run) Message(print func(io.Writer)) {
	r.Stdout.Flush()
	print(r.Err)
}

// documentTime returns the time from which ages are calculated: the time of the
// snapshot, or the start of the run.
func (r *Run) documentTime() time.Time {
	if r.Mesh != nil {
		return r.Mesh.Now()
	}
	return r.Started
}

// Seconds returns the value of the query's function now: the document's time, in
// seconds since 1970.
func (r *Run) Seconds() float64 { return float64(r.documentTime().UnixMicro()) / 1e6 }

// finish renders a result for printing. The evaluator calls it from several
// goroutines, possibly before earlier results are printed.
func (r *Run) finish(ctx context.Context, v any) (any, error) {
	check := unknownCheck(v)
	if r.Quiet {
		if k, ok := v.(mesh.Known); ok && k.IsObject() && !r.Request.Traces {
			return &result{truth: true}, nil
		}
		is, null, err := r.truth(ctx, v)
		return &result{truth: is, null: null, unknown: check}, err
	}
	res := &result{truth: true, unknown: check, value: v}
	var err error
	res.rendered, err = r.Printer.Render(mesh.WithLost(ctx, res.lose), v)
	switch {
	case errors.As(err, new(*mesh.Fault)):
		return nil, err
	case err != nil && len(res.lost) > 0: // the output template failed because a part of the value is unavailable
		res.dropped = true
		return res, nil
	case err != nil:
		return nil, err
	}
	if r.ExitStatus {
		res.truth, _, err = r.truth(ctx, v)
	}
	return res, err
}

// A result is one result of the query, rendered for printing.
type result struct {
	rendered any
	truth    bool // true if the result is neither null nor false; for -e
	null     bool // true if the result is null; only set with --quiet
	// the name of the check, if the result reports that the check could not be
	// evaluated; otherwise empty
	unknown string
	value   any  // the result before it is rendered, for the variables of a session
	dropped bool // true if the result isn't printed, because parts that are needed to render it are unavailable
	seen    seen // the result's subject and content, which --watch compares with those of the previous run

	mu   sync.Mutex
	lost []*mesh.Fault // the unavailable parts that are left out of the result
}

func (r *result) lose(f *mesh.Fault) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lost = append(r.lost, f)
}

func truth(v any) bool { return v != nil && v != false }

// over runs the query over one value and prints its results.
func (r *Run) over(ctx context.Context, in any, o eval.RunOptions) error {
	return r.Program.Run(ctx, in, r.Values, o, func(v any) error {
		res := v.(*result)
		for _, f := range res.lost {
			r.Fault(f)
		}
		if res.dropped {
			return nil
		}
		r.Results++
		if r.session != nil {
			r.session.record(res.value)
		}
		r.unknowns.add(res.unknown)
		r.last, r.null = res.truth, res.null
		if r.Quiet || r.rows != nil && r.rows.add(res.seen) {
			return nil
		}
		if err := r.Printer.Print(res.rendered); err != nil {
			return err
		}
		if r.OutTerminal || r.Unbuffered {
			return r.Stdout.Flush()
		}
		return nil
	})
}

// Ended prints the remaining results and the faults. It returns an ExitError
// with the exit code of the run, or nil if the code is 0.
func (r *Run) Ended(err error) error {
	if !r.Quiet && !errors.As(err, new(*section.TooManyError)) { // after a TooManyError, Close would print an empty List, which looks like a valid result
		if e := r.Printer.Close(); err == nil {
			err = e
		}
	}
	if e := r.Stdout.Flush(); err == nil {
		err = e
	}
	if process.ReaderLeft(err) { // the reader, for example head, has closed the pipe
		err = nil
	}
	codes := []int{r.statusCode()}
	var halt *eval.Halt
	var fault *mesh.Fault
	switch {
	case errors.As(err, &halt): // the query itself sets the exit code, so -e doesn't apply, as in jq
		codes = []int{halted(r, halt)}
		err = nil
	case errors.As(err, &fault): // this error is reported together with the other faults
		r.Fault(fault)
		err = nil
	case err != nil:
		codes = append(codes, exitCode(err))
	}
	if faults := r.TellFaults(); (faults > 0 || r.unknowns.count > 0) && !r.lenient() {
		codes = append(codes, process.ExitPartial)
	}
	if r.unknowns.count > 0 {
		r.Message(func(w io.Writer) { fmt.Fprintln(w, &r.unknowns) })
	}
	r.hints(err)
	if code := process.Strongest(codes...); code != process.ExitOK {
		return process.Exit(code, err)
	}
	return nil
}

// halted prints the value with which halt_error was called, and returns its
// exit code.
func halted(r *Run, h *eval.Halt) int {
	if h.HasValue {
		if s, ok := h.Value.(string); ok {
			fmt.Fprint(r.Err, s)
		} else {
			WriteJSON(r.Err, h.Value)
			fmt.Fprintln(r.Err)
		}
	}
	return h.Code
}

// Note prints a note on standard error as one line, unless the run has already
// printed the same note.
func (r *Run) Note(text string) { r.noteLines(process.OneLine(text)) }

// noteLines is like Note, but for a text of several lines. The text must be safe to
// print.
func (r *Run) noteLines(text string) {
	if r.notes == nil {
		r.notes = map[string]bool{}
	}
	if !r.notes[text] {
		r.notes[text] = true
		r.Message(func(w io.Writer) { fmt.Fprintln(w, "note: "+text) })
	}
}

// Plural returns a number with its noun: "1 proxy", "3 proxies".
func Plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// WriteJSON prints a value on one line, as jq -c does.
func WriteJSON(w io.Writer, v any) {
	p, err := printers.New(printers.Options{Out: w, Compact: true, Join: true})
	if err == nil {
		v, err = p.Render(context.Background(), v)
	}
	if err == nil {
		err = p.Print(v)
	}
	if err != nil {
		fmt.Fprint(w, process.OneLine(err.Error()))
	}
}

// Modules opens the folders of modules: those of --library-path, the folder of
// the query's own file, and the folders of saved queries.
func (r *Run) Modules() (roots []fs.FS, closeAll func(), err error) {
	return saved.OpenModules(r.World, r.LibraryPath, r.Request.Path)
}

// A Request is what a command line requests: a query, its arguments, and the
// proxies that it names.
type Request struct {
	Query   string
	File    string   // the name of the query's file in errors; empty if the query isn't from a file
	Path    string   // the path of the query's file; empty if the query isn't from a file in a folder
	Proxies []string // the proxies, by the names that the user wrote
	Status  bool     // true if the query prints the status table
	Traces  bool     // true if the query is run by the command trace
	Key     []byte   // the key of the digests in snapshots; nil if the key isn't known

	// Printer returns a printer for a command that formats all results as one text.
	// If Printer is nil, the flags select the printer.
	Printer func(out io.Writer) printers.Printer

	named     *shipped.Query    // the query with its header; nil if the query has no header
	Ours      bool              // true if the query comes with the plugin
	arguments options.Arguments // the values that the user has set for the header's arguments
	words     []string          // the words of the command line that the query itself uses
}

// RequestFor returns the request of a query that comes with the plugin.
func RequestFor(q shipped.Query, args options.Arguments, words []string) *Request {
	a := &Request{Query: q.Program(), File: q.Name + ".jq", named: &q, Ours: true, arguments: args, Proxies: words, Status: q.Name == StatusName}
	if q.Words != "" {
		a.words, a.Proxies = words, nil
	}
	return a
}

// blocks returns the column headers at which a table is split into blocks if it
// is too wide for a terminal. It returns nil if the table isn't split.
func (a *Request) blocks() []string {
	if a.named == nil {
		return nil
	}
	return a.named.Blocks
}

// StatusName is the name of the query that is run if the command line contains no
// query.
const StatusName = "status"

// sameKey returns an error for a snapshot whose digests were computed with
// another key than the request's, because such digests can't be compared. A
// snapshot without digests has no key.
func (a *Request) sameKey(path string, m transport.Manifest) error {
	if a == nil || a.Key == nil || !slices.Contains(m.Redacted, redact.FreeText) || m.RedactKey == redact.KeyCheck(a.Key) {
		return nil
	}
	return process.Usagef("--redact-key: %s was recorded with another key, or with none", path)
}

// Unplaced removes the position in the query from an error. It is used for
// queries that the user didn't write.
func Unplaced(err error) error {
	var exit *process.ExitError
	var at *eval.Error
	if !errors.As(err, &exit) || !errors.As(err, &at) || errors.As(err, new(*unmetError)) || errors.As(err, new(*inventory.UnknownNamespaceError)) {
		return err
	}
	text := strings.TrimPrefix(at.Err.Error(), "error: ")
	if at.Element != "" && !strings.HasPrefix(text, at.Element) {
		text = at.Element + ": " + text
	}
	return process.Exit(exit.Code, errors.New(text))
}

// statusCode returns the exit code for the results, as -e and --fail-on-match
// require it.
func (r *Run) statusCode() int {
	switch {
	case r.FailOnMatch && r.matches() > 0:
		return process.ExitFound
	case r.ExitStatus && r.Results == 0:
		return process.ExitEmpty
	case r.ExitStatus && !r.last:
		return process.ExitFound
	}
	return process.ExitOK
}

// matches returns the number of results that count for --fail-on-match.
func (r *Run) matches() int {
	if r.Unknown == options.WarnUnknown {
		return r.Results - r.unknowns.count
	}
	return r.Results
}

// lenient reports whether parts that couldn't be read leave the exit code
// unchanged. With --fail-on-match, that requires --unknown=warn: a check in a
// pipeline must not pass because nothing could be read.
func (r *Run) lenient() bool {
	return r.Unknown == options.WarnUnknown || r.AllowPartial && !r.Changed("fail-on-match")
}
