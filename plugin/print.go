package plugin

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"

	"github.com/meshq/kubectl-meshq/printers"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// openPrinter chooses how results are printed. Standard output is a table for
// the kinds of the document, jq's stream for all else, unless -o says more.
func (r *run) openPrinter(ctx context.Context) error {
	// What is beyond the part of a large result that was made ready ahead is
	// read while it is printed: what is lost there is told too.
	p, err := r.newPrinter(mesh.WithLost(ctx, r.fault))
	if err != nil {
		return &exitError{exitUsage, err}
	}
	r.printer = p
	return nil
}

func (r *run) printerOptions(ctx context.Context) printers.Options {
	f := r.layout()
	return printers.Options{
		Out: r.out, Context: ctx, Now: r.documentTime(), Open: func(path string) ([]byte, error) { return readWhole(ctx, path) }, Note: r.note,
		Color: r.colored(), Colors: r.World.env("JQ_COLORS"),
		Format: f.format, Template: f.template, MissingKeysFail: !f.missingKeys, ShowManagedFields: f.managed,
		Compact: f.compact, Tab: f.tab, Indent: r.indentation(), ASCII: f.ascii, Sorted: f.sortKeys, Raw: f.raw, Join: f.join, Raw0: f.raw0, Seq: f.seq,
		NoHeaders: f.noHeaders, ShowLabels: f.showLabels, ShowKind: f.showKind, LabelColumns: f.labelColumns, SortBy: f.sortBy,
		Columns: f.columns,
	}
}

// layout is how results are printed: as the query's header says, unless the
// command line says something else.
func (r *run) layout() *outputFlags {
	o := r.output
	switch {
	case r.asked.named == nil:
	case !slices.ContainsFunc(layouts, r.changed):
		o.format, o.columns = r.asked.named.Output, r.asked.named.Columns
	case o.format == "table":
		o.columns = r.asked.named.Columns
	}
	return &o
}

// layouts are the flags that say how results look.
var layouts = []string{
	"output", "template", "compact-output", "raw-output", "join-output", "raw-output0", "ascii-output", "seq", "tab", "indent",
}

// indentation is --indent if it was given.
func (r *run) indentation() string {
	if !r.changed("indent") {
		return ""
	}
	return strconv.Itoa(r.output.indent)
}

// colored decides about colours as jq does: on a terminal, unless NO_COLOR is
// set or the terminal is dumb; -C and -M overrule.
func (r *run) colored() bool {
	switch r.output.color {
	case "always":
		return true
	case "never":
		return false
	}
	return r.OutTerminal && r.World.env("NO_COLOR") == "" && r.World.env("TERM") != "dumb"
}

// hints tells, on a terminal, what to try next, and on a pipe that a table is
// for people.
func (r *run) hints(err error) {
	if r.quiet || r.watch {
		return
	}
	if r.asked.status && r.results == 0 && err == nil {
		r.note("no proxies were found" + r.among())
	}
	if r.asked.status && r.OutTerminal && r.ErrTerminal && !r.changed("output") {
		fmt.Fprint(r.Err, tryNext(calledAs(r.Args[0]), r.snapshots))
	}
	if !r.OutTerminal && !r.changed("output") && r.ErrTerminal && r.printedTable() {
		r.note("a table is for people; -o json is for programs")
	}
}

// among says which proxies were looked at, if not all.
func (r *run) among() string {
	text := ""
	if ns := *r.kube.Namespace; ns != "" && !r.allNamespaces {
		text += " in namespace " + ns
	}
	if r.selector != "" {
		text += " with labels " + r.selector
	}
	return text
}

// hintLabels helps who means jq's -L.
func (r *run) hintLabels() {
	for _, label := range r.output.labelColumns {
		if info, err := os.Stat(label); err == nil && info.IsDir() {
			r.note(fmt.Sprintf("-L %s is a column of that label; jq's -L is --library-path", label))
		}
	}
}

func (r *run) printedTable() bool {
	t, ok := r.printer.(interface{ PrintedTable() bool })
	return ok && t.PrintedTable()
}

func tryNext(name string, snapshots []string) string {
	from := ""
	if len(snapshots) > 0 {
		from = " --snapshot " + oneLine(snapshots[0])
	}
	return fmt.Sprintf(`
Try:  %[1]s%[2]s '.proxies[] | select(stale) | .sync'
      %[1]s%[2]s '.proxy("istio-ingressgateway").route("http.80").match("/productpage")'
      %[1]s help document
`, name, from)
}
