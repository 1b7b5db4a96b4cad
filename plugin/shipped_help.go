package plugin

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/meshq/kubectl-meshq/query/shipped"
)

// listCommand is "list": the queries that have a name.
func listCommand(w *World) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the queries that have a name",
		Args:  cobra.NoArgs,
		RunE:  func(*cobra.Command, []string) error { return printQueries(w.Out, shipped.All()) },
	}
}

func printQueries(out io.Writer, all []shipped.Query) error {
	tab := tabwriter.NewWriter(out, 0, 8, 3, ' ', 0)
	fmt.Fprintln(tab, "NAME\tWHAT IT GIVES")
	for _, q := range all {
		what := strings.TrimSuffix(q.Summary, ".")
		if q.Severity != "" {
			what = q.Severity + ": " + what
		}
		fmt.Fprintf(tab, "%s\t%s\n", strings.Join(append([]string{q.Name}, q.Aliases...), ", "), what)
	}
	return tab.Flush()
}

// showCommand is "show NAME": a query's file, to be read, copied and changed.
func showCommand(w *World) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show NAME",
		Short: "Print the file of a query that has a name",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, words []string) error {
			q, ok := namedQuery(words[0])
			if !ok {
				return usage("no query named %s; list names them", words[0])
			}
			_, err := io.WriteString(w.Out, q.Text)
			return err
		},
	}
	cmd.ValidArgsFunction = func(_ *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return queryNames(begun), cobra.ShellCompDirectiveNoFileComp
	}
	return cmd
}

// queryNames gives the names that begin so, with what they are.
func queryNames(begun string) (out []string) {
	for _, q := range shipped.All() {
		if strings.HasPrefix(q.Name, begun) {
			out = append(out, q.Name+"\t"+q.Summary)
		}
	}
	return out
}

// printQueryHelp prints what the header of a query says.
func printQueryHelp(w *World, q shipped.Query) {
	name := calledAs(w.Args[0])
	fmt.Fprintf(w.Out, "%s: %s\n", q.Name, q.Summary)
	if q.Doc != "" {
		fmt.Fprintf(w.Out, "\n%s\n", q.Doc)
	}
	if q.Next != "" {
		fmt.Fprintf(w.Out, "\nWhat it finds is of severity %s. What to do then: %s.\n", q.Severity, strings.TrimSuffix(q.Next, "."))
	}
	fmt.Fprintf(w.Out, "\nUsage:\n  %s %s %s [flags]\n", name, q.Name, takes(q))
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
	fmt.Fprintf(w.Out, "\nAll flags of a query go with it too: -n, -l, -o, --snapshot, …: %s --help.\nThe query itself: %s show %s\n", name, name, q.Name)
}

func printArguments(out io.Writer, args []shipped.Argument) {
	tab := tabwriter.NewWriter(out, 0, 8, 3, ' ', 0)
	for _, a := range args {
		flag := "--" + a.Name
		if a.Short != "" {
			flag = "-" + a.Short + ", " + flag
		}
		if a.Takes != "" {
			flag += " " + a.Takes
		}
		doc := a.Doc
		if a.Given {
			doc = strings.TrimSpace(doc + " (default " + a.Default + ")")
		}
		fmt.Fprintf(tab, "  %s\t%s\n", flag, doc)
	}
	tab.Flush() // to an output that tells of itself when it ends
}
