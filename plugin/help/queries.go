package help

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/printers/fit"
	"github.com/meshq/kubectl-meshq/query/shipped"
)

// PrintQueries prints a table of queries with their summaries. Unless width is 0,
// it leaves out their aliases and cuts lines that are wider.
func PrintQueries(out io.Writer, all []shipped.Query, width int) error {
	var text strings.Builder
	tab := tabwriter.NewWriter(&text, 0, 8, 3, ' ', 0)
	fmt.Fprintln(tab, "NAME\tDESCRIPTION")
	for _, q := range all {
		what := strings.TrimSuffix(q.Summary, ".")
		if q.Severity != "" {
			what = q.Severity + ": " + what
		}
		name := strings.Join(append([]string{q.Name}, q.Aliases...), ", ")
		if width > 0 {
			name = q.Name
		}
		fmt.Fprintf(tab, "%s\t%s\n", name, what)
	}
	if err := tab.Flush(); err != nil {
		return err
	}
	for line := range strings.Lines(text.String()) {
		if _, err := fmt.Fprintln(out, fit.Cut(strings.TrimSuffix(line, "\n"), width)); err != nil {
			return err
		}
	}
	return nil
}

// QueryNames returns the names of queries that begin with the given prefix. Each
// name is followed by a tab and the query's summary.
func QueryNames(begun string) (out []string) {
	for _, q := range shipped.All() {
		if strings.HasPrefix(q.Name, begun) {
			out = append(out, q.Name+"\t"+q.Summary)
		}
	}
	return out
}

// PrintQueryHelp prints the help page of a query. The text comes from the query's
// header.
func PrintQueryHelp(w *process.World, q shipped.Query) {
	name := process.CalledAs(w.Args[0])
	fmt.Fprintf(w.Out, "%s: %s\n", q.Name, q.Summary)
	if q.Doc != "" {
		fmt.Fprintf(w.Out, "\n%s\n", q.Doc)
	}
	if q.Next != "" {
		fmt.Fprintf(w.Out, "\nWhat it finds is of severity %s. What to do then: %s.\n", q.Severity, strings.TrimSuffix(q.Next, "."))
	}
	fmt.Fprintf(w.Out, "\nUsage:\n  %s %s %s [flags]\n", name, q.Name, Takes(q))
	if len(q.Aliases) > 0 {
		fmt.Fprintf(w.Out, "\nAliases:\n  %s\n", strings.Join(q.Aliases, ", "))
	}
	if len(q.Args) > 0 {
		fmt.Fprintf(w.Out, "\nFlags of its own:\n")
		printArguments(w.Out, q.Args)
	}
	if len(q.Examples) > 0 {
		fmt.Fprintf(w.Out, "\nExamples:\n")
		for _, e := range q.Examples {
			fmt.Fprintf(w.Out, "  %s %s\n", name, e)
		}
	}
	fmt.Fprintf(w.Out, "\nAll flags of a query go with it too (-n, -l, -o, --snapshot, …): %s help options.\nThe query itself: %s show %s\n", name, name, q.Name)
}

func printArguments(out io.Writer, args []shipped.Argument) {
	tab := tabwriter.NewWriter(out, 0, 8, 3, ' ', 0)
	for _, a := range args {
		flag := "--" + a.Name
		if a.Short != "" {
			flag = "-" + a.Short + ", " + flag
		}
		switch {
		case a.Takes != "":
			flag += " " + a.Takes
		case a.Type == shipped.Text: // the header declares only the names of arguments, as in "# args: a, b"
			flag += " TEXT"
		}
		doc := a.Doc
		if a.Given {
			doc = strings.TrimSpace(doc + " (default " + a.Default + ")")
		}
		fmt.Fprintf(tab, "  %s\t%s\n", flag, doc)
	}
	tab.Flush() // write errors are ignored when help is printed
}

// Takes returns the placeholder for the words after a query's name in the usage
// line.
func Takes(q shipped.Query) string {
	if q.Words != "" {
		return "[" + q.Words + "]"
	}
	return "[PROXY…]"
}
