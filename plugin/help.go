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
// library, a kind of the document, or one of the pages below. The manual, which
// is made of the same, comes with it.
func helpCommand(w *World, root *rootCommand) *cobra.Command {
	root.AddCommand(manualCommand(w, root))
	return &cobra.Command{
		Use:   "help [TOPIC]",
		Short: "Help about " + strings.Join(topics(), ", ") + ", a command, a function or a kind",
		Long:  helpLong(),
		RunE: func(_ *cobra.Command, words []string) error {
			if len(words) == 0 {
				return root.Help()
			}
			return helpOn(w, root, words)
		},
	}
}

func helpOn(w *World, root *rootCommand, words []string) error {
	topic := strings.Join(words, "-") // help exit codes
	for _, p := range pages() {
		if p.name == topic {
			p.print(w.Out)
			return nil
		}
	}
	if topic == "istioctl" {
		printSpellings(w.Out, calledAs(w.Args[0]))
		return nil
	}
	if cmd, rest, err := root.Find(words); err == nil && cmd != root.Command && len(rest) == 0 {
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

func helpLong() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Help about a topic, a command, a query, a function or a kind of the document, by its name.\n\nTopics:\n")
	for _, p := range pages() {
		fmt.Fprintf(&b, "  %-12s %s\n", p.name, p.about)
	}
	fmt.Fprintf(&b, "  %-12s %s", "istioctl", "istioctl's words, and what stands for them here")
	return b.String()
}

func topics() []string {
	var names []string
	for _, p := range pages() {
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
