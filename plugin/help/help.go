package help

import (
	"fmt"
	"io"
	"strings"

	"github.com/meshq/kubectl-meshq/query/library"
	"github.com/meshq/kubectl-meshq/sources"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// HelpLong returns the long help text of the command help, which lists the topics.
func HelpLong() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Help about a topic, a command, a query, a function or a kind of the document, by its name.\n\nTopics:\n")
	for _, p := range Pages() {
		fmt.Fprintf(&b, "  %-12s %s\n", p.Name, p.about)
	}
	fmt.Fprintf(&b, "  %-12s %s", "istioctl", "istioctl's words, and what stands for them here")
	return b.String()
}

// Topics returns the names of the help pages.
func Topics() []string {
	var names []string
	for _, p := range Pages() {
		names = append(names, p.Name)
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

// PrintFunction prints the help page of a function.
func PrintFunction(w io.Writer, f library.Function) {
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

// PrintKind prints the help page of a kind of the document.
func PrintKind(w io.Writer, k mesh.Kind) {
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
