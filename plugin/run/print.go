package run

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"

	"github.com/meshq/kubectl-meshq/plugin/options"
	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/printers"
	"github.com/meshq/kubectl-meshq/printers/safe"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// OpenPrinter chooses the printer of the results. Without -o, objects of the
// document's kinds are printed as tables, and all other results are printed as jq
// prints them.
func (r *Run) OpenPrinter(ctx context.Context) error {
	// Only the first part of a large result is rendered before it is printed. The
	// rest is read during printing. Parts that turn out to be unavailable then are
	// reported through this context.
	p, err := r.newPrinter(mesh.WithLost(ctx, r.Fault))
	if err != nil {
		return process.Exit(process.ExitUsage, err)
	}
	r.Printer = p
	return nil
}

// PrinterOptions returns the options of the printer, taken from the flags and the
// query's header.
func (r *Run) PrinterOptions(ctx context.Context) printers.Options {
	f := r.layout()
	return printers.Options{
		Out: r.Stdout, Context: ctx, Now: r.documentTime(), Open: func(path string) ([]byte, error) { return process.ReadWhole(ctx, path) }, Note: r.Note,
		Color: r.Colored(), Colors: r.World.Env("JQ_COLORS"),
		Format: f.Format, Template: f.Template, MissingKeysFail: !f.MissingKeys, ShowManagedFields: f.Managed,
		Compact: f.Compact, Tab: f.Tab, Indent: indentation(r), ASCII: f.Ascii, Sorted: f.SortKeys, Raw: f.Raw, Join: f.Join, Raw0: f.Raw0, Seq: f.Seq,
		NoHeaders: f.NoHeaders, ShowLabels: f.ShowLabels, ShowKind: f.ShowKind, LabelColumns: f.LabelColumns, SortBy: f.SortBy,
		Columns: f.Columns, Width: tableWidth(r), Blocks: r.Request.blocks(),
	}
}

// tableWidth returns the width that tables must not exceed: that of the
// terminal. It returns 0, for no limit, if results go elsewhere or the user
// requested wide tables.
func tableWidth(r *Run) int {
	if !r.OutTerminal || r.OutWidth == nil || r.Changed("output") && r.Output.Format == "wide" {
		return 0
	}
	return r.OutWidth()
}

// layout returns the output flags of the run. If the command line has no flag that
// changes the layout, the format and columns of the query's header apply.
func (r *Run) layout() *options.OutputFlags {
	o := r.Output
	switch {
	case r.Request.named == nil:
	case !slices.ContainsFunc(layouts, r.Changed):
		o.Format, o.Columns = r.Request.named.Output, r.Request.named.Columns
	case o.Format == "table":
		o.Columns = r.Request.named.Columns
	}
	return &o
}

// layouts are the names of the flags that change the layout of results. If any of
// them is set, it overrides the query's header.
var layouts = []string{
	"output", "template", "compact-output", "raw-output", "join-output", "raw-output0", "ascii-output", "seq", "tab", "indent",
}

// indentation returns the value of --indent, or "" if it wasn't given.
func indentation(r *Run) string {
	if !r.Changed("indent") {
		return ""
	}
	return strconv.Itoa(r.Output.Indent)
}

// Colored reports whether to print colours, by the same rules as jq: on a
// terminal, unless NO_COLOR is set or the terminal is dumb. -C and -M override
// this.
func (r *Run) Colored() bool {
	switch r.Output.Color {
	case "always":
		return true
	case "never":
		return false
	}
	return r.OutTerminal && r.World.Env("NO_COLOR") == "" && r.World.Env("TERM") != "dumb"
}

// hints prints suggestions on standard error. On a terminal it suggests what to try
// next. On a pipe it notes that the format of tables isn't meant for programs.
func (r *Run) hints(err error) {
	if r.Quiet || r.Watch {
		return
	}
	if r.Results == 0 && err == nil {
		hintNothing(r)
	}
	if r.Request.Status && r.OutTerminal && r.ErrTerminal && !r.Changed("output") {
		fmt.Fprint(r.Err, tryNext(process.CalledAs(r.Args[0]), r.Snapshots))
	}
	if !r.OutTerminal && !r.Changed("output") && r.ErrTerminal && printedTable(r) {
		r.Note("a table is for people; -o json is for programs")
	}
}

// Among describes which proxies were selected, as the end of a sentence. It returns
// "" if all proxies were selected.
func (r *Run) Among() string {
	text := ""
	if ns := *r.Kube.Namespace; ns != "" && !r.AllNamespaces {
		text += " in namespace " + ns
	}
	if r.Selector != "" {
		text += " with labels " + r.Selector
	}
	return text
}

// hintLabels prints a note if an argument of -L is the path of a folder. In that
// case the user probably expects jq's -L, which names a folder of modules.
func hintLabels(r *Run) {
	for _, label := range r.Output.LabelColumns {
		if info, err := os.Stat(label); err == nil && info.IsDir() {
			r.Note(fmt.Sprintf("-L %s is a column of that label; jq's -L is --library-path", label))
		}
	}
}

func printedTable(r *Run) bool {
	t, ok := r.Printer.(interface{ PrintedTable() bool })
	return ok && t.PrintedTable()
}

func tryNext(name string, snapshots []string) string {
	from := ""
	if len(snapshots) > 0 {
		from = " --snapshot " + process.OneLine(snapshots[0])
	}
	return fmt.Sprintf(`
Try:  %[1]s%[2]s check
      %[1]s%[2]s trace POD http://SERVICE:PORT/PATH
      %[1]s%[2]s '.proxies[] | select(stale) | .sync'
      %[1]s help
`, name, from)
}

// passing returns the control characters that results may contain. Strings that
// are printed with -r are escaped on a pipe too, because most pipes end on a
// terminal. With --raw-output0, every byte is allowed, because the reader is a
// program.
func (r *Run) passing() safe.Allowed {
	p := safe.Allowed{Colors: r.Colored()}
	if !r.OutTerminal {
		p.All = r.Output.Raw0
		if r.Output.Seq {
			p.Marks = "\x1e"
		}
	}
	return p
}

// OpenOutput creates the buffered standard output of the run.
func (r *Run) OpenOutput() {
	r.Allow(r.passing())
	r.Stdout = bufio.NewWriterSize(r.StandardOutput(), 64<<10)
}

// arrives reports whether all traffic of a trace reaches an endpoint, as far as that
// is known. Parts that couldn't be read don't count: they are faults, which have
// their own exit code.
func arrives(ctx context.Context, v any) (bool, error) {
	all, err := mesh.Get(ctx, v, "outcomes")
	if err != nil {
		return false, err
	}
	if all, err = mesh.Deep(ctx, all); err != nil {
		return false, err
	}
	shares, _ := all.([]any)
	for _, o := range shares {
		share, _ := o.(*object.Object)
		if reason := share.Get("reason"); reason != nil && reason != "PASSTHROUGH" && reason != "UNKNOWN" {
			return false, nil
		}
	}
	return true, nil
}

// truth reports whether a result counts as true for the exit code, and whether it is
// null.
func (r *Run) truth(ctx context.Context, v any) (is, null bool, err error) {
	if r.Request.Traces {
		is, err = arrives(ctx, v)
		return is, false, err
	}
	v, err = mesh.Force(ctx, v)
	return truth(v), v == nil, err
}

// newPrinter returns the printer that the options select. If they select none, the
// command trace prints a tree.
func (r *Run) newPrinter(ctx context.Context) (printers.Printer, error) {
	if r.Request.Printer != nil {
		return r.Request.Printer(r.Stdout), nil
	}
	o := r.PrinterOptions(ctx)
	if r.Request.Traces && !slices.ContainsFunc(layouts, r.Changed) {
		return printers.NewTree(o)
	}
	return printers.New(o)
}

// ShowProgress starts to print the progress of the run if standard error is a
// terminal that can erase a line. Until end is called, all output of the run to
// standard error passes through the progress line.
func (r *Run) ShowProgress() (end func()) {
	if !r.ErrTerminal || r.Quiet || r.World.Env("TERM") == "dumb" || r.Every == nil {
		return func() {}
	}
	p := &Progress{Out: r.Terminal, Width: r.ErrWidth, Now: r.Now, Began: r.Now()}
	world := *r.World
	world.Err = safe.NewWriter(p)
	r.World, r.Progress = &world, p
	ticks, stop := r.Every(progressEvery)
	done, left := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(left)
		for {
			select {
			case <-ticks:
				p.Draw()
			case <-done:
				return
			}
		}
	}()
	return func() {
		stop()
		close(done)
		<-left
		p.End()
	}
}

// StandardOutput returns the writer of the run's results.
func (r *Run) StandardOutput() io.Writer { return standardOutput{r.Out, r.Progress} }

// A standardOutput writes the results. It erases the progress line before the
// first result, marks errors of writing as such, and records that something was
// written.
type standardOutput struct {
	io.Writer
	Progress *Progress
}

func (o standardOutput) Write(b []byte) (int, error) {
	o.Progress.End()
	n, err := o.Writer.Write(b)
	if err != nil {
		err = &process.WriteError{Err: err}
	}
	return n, err
}
