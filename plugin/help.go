package plugin

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshq/kubectl-meshq/query/library"
	"github.com/meshq/kubectl-meshq/sources"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// helpCommand is "help [TOPIC]": a topic is a command, a function of the
// library, a kind of the document, or one of the pages below.
func helpCommand(w *World, root *rootCommand) *cobra.Command {
	return &cobra.Command{
		Use:   "help [TOPIC]",
		Short: "Help about the document, the functions, the exit codes, or any of them by name",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, words []string) error {
			if len(words) == 0 {
				return root.Help()
			}
			return helpOn(w, root, words[0])
		},
	}
}

func helpOn(w *World, root *rootCommand, topic string) error {
	for _, p := range pages {
		if p.name == topic {
			p.print(w.Out)
			return nil
		}
	}
	if topic == "istioctl" {
		printSpellings(w.Out, calledAs(w.Args[0]))
		return nil
	}
	if cmd, _, err := root.Find([]string{topic}); err == nil && cmd != root.Command {
		return cmd.Help()
	}
	found := false
	for _, f := range library.Functions() {
		if f.Name == topic {
			printFunction(w.Out, f)
			found = true
		}
	}
	for _, k := range sources.Kinds() {
		if k.Name == topic {
			printKind(w.Out, k)
			found = true
		}
	}
	if !found {
		return usage("no help on %s; topics are %s, and every function and kind", topic, strings.Join(topics(), ", "))
	}
	return nil
}

// page is one page of help.
type page struct {
	name  string
	print func(io.Writer)
}

var pages = []page{
	{"document", printDocument},
	{"functions", printFunctions},
	{"snapshots", func(w io.Writer) { fmt.Fprint(w, snapshotsPage) }},
	{"exit-codes", func(w io.Writer) { fmt.Fprint(w, exitCodesPage) }},
}

func topics() []string {
	var names []string
	for _, p := range pages {
		names = append(names, p.name)
	}
	return append(names, "istioctl")
}

func printFunctions(w io.Writer) {
	subject := ""
	for _, f := range library.Functions() {
		if f.Subject != subject {
			if subject != "" {
				fmt.Fprintln(w)
			}
			subject = f.Subject
			fmt.Fprintf(w, "%s\n", strings.ToUpper(subject))
		}
		summary, _, _ := strings.Cut(f.Doc, ". ")
		fmt.Fprintf(w, "  %-22s %s\n", f.Signature, strings.TrimSuffix(summary, "."))
	}
	fmt.Fprintf(w, "\nEvery function is a method too: X.f(a; b) is X | f(a; b). All functions of jq are there.\n")
}

func printFunction(w io.Writer, f library.Function) {
	fmt.Fprintf(w, "%s\n\n  %s\n", f.Signature, f.Doc)
	if len(f.Examples) > 0 {
		fmt.Fprintf(w, "\nExamples:\n  %s\n", strings.Join(f.Examples, "\n  "))
	}
}

func printDocument(w io.Writer) {
	fmt.Fprint(w, documentPage)
	for _, k := range sources.Kinds() {
		if k.Name == "Mesh" {
			printFields(w, k)
		}
	}
	fmt.Fprintln(w, "\nWhat is in it is of these kinds, beside Kubernetes' own:")
	fmt.Fprintln(w)
	for _, k := range sources.Kinds() {
		fmt.Fprintf(w, "  %-20s %s\n", k.Name, k.Doc)
	}
	fmt.Fprintln(w, "\nThe fields of a kind: help Proxy, help Cluster, …")
}

func printKind(w io.Writer, k mesh.Kind) {
	fmt.Fprintf(w, "%s: %s\n", k.Name, k.Doc)
	fmt.Fprintln(w)
	printFields(w, k)
	if k.Open {
		fmt.Fprintln(w, "\nand what its source gives.")
	}
	if k.Message != "" {
		fmt.Fprintf(w, "\nand every field of Envoy's %s, in lowerCamelCase.\n", k.Message)
	}
}

func printFields(w io.Writer, k mesh.Kind) {
	width := 18
	for _, f := range k.Fields {
		width = max(width, len(f.Name))
	}
	for _, f := range k.Fields {
		lazy := ""
		if f.Cost == mesh.OnDemand {
			lazy = " (read when touched)"
		}
		fmt.Fprintf(w, "  %-*s %s%s\n", width, f.Name, f.Doc, lazy)
	}
}

const documentPage = `The mesh is one document; "." is it. Only what a query touches is read.

`

const snapshotsPage = `--snapshot PATH reads a recorded mesh; no kubeconfig is needed. PATH is

  a directory or a .tar, .tar.gz, .tar.zst of a snapshot
  the archive or the directory that istioctl bug-report writes
  the body of one Envoy's /config_dump (or istioctl proxy-config all -o json): a mesh of one proxy
  -     any of these on standard input
  demo  a mesh that comes with the plugin: one proxy is stale, one rejected a listener

Repeat it for several meshes. A pattern with * is every file it fits. What a snapshot does not hold is told as a fault,
and does not end the run.
`

const exitCodesPage = `0  fine, also when there was no result
1  found: with -e the last result was false or null; with --fail-on-match there was one; wait: not true in time
2  the command line is wrong, or nothing could be read
3  the query does not compile
4  with -e: there was no result
5  the query failed while running
6  some of the mesh could not be read (each part is named on stderr); --allow-partial makes it 0

Where several apply, the first of 2, 3, 5, 1, 6, 4, 0 is given. A run that was interrupted (Ctrl-C) ends with 130.
`
