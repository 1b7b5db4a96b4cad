package help

import (
	"fmt"
	"strings"

	"github.com/meshq/kubectl-meshq/query/conform"
)

// jqPage returns the manual's page on the differences between the query language and
// jq.
func jqPage() string {
	var b strings.Builder
	b.WriteString("# jq\n\nThe language is that of jq 1.8.2. Where gojq 0.12.20 differs, jq is followed. " +
		"A test runs the cases of both, if they are installed (`scripts/jq` builds jq and keeps its tests). It fails if a case fails and is not listed here, or is listed and passes.\n" +
		"\n| cases of | pass | of |\n|---|---:|---:|\n")
	pass, all := 0, 0
	for _, s := range conform.JQ() {
		ok := s.Cases - conform.FailsJQ(s.Name)
		fmt.Fprintf(&b, "| jq 1.8.2, %s | %d | %d |\n", s.Name, ok, s.Cases)
		pass, all = pass+ok, all+s.Cases
	}
	gojq := conform.Gojq()
	fmt.Fprintf(&b, "| **jq 1.8.2, all** | **%d** | **%d** |\n| gojq 0.12.20, %s | %d | %d |\n", pass, all, gojq.Name, gojq.Cases-conform.FailsGojq(), gojq.Cases)
	b.WriteString("\nA program that jq refuses to compile passes if meshq refuses it too. The message may differ: meshq also gives the position in the query.\n\n## What differs\n")
	for _, d := range conform.Differences() {
		fmt.Fprintf(&b, "\n- %s\n", escapedMarkdown(d.Reason))
		if len(d.JQ) > 0 {
			fmt.Fprintf(&b, "  jq's cases: %s.\n", strings.Join(d.JQ, ", "))
		}
		if len(d.Gojq) > 0 {
			fmt.Fprintf(&b, "  gojq's cases: %s.\n", escapedMarkdown(strings.Join(d.Gojq, "; ")))
		}
	}
	b.WriteString("\n## What is different on the command line\n\n" + markdown(jqElsewhere))
	return b.String()
}

// jqElsewhere is the manual's text on the differences between the command line and
// that of jq.
const jqElsewhere = `Name the input with --input: a file, or - for standard input; repeat it for several files. Without it, and without --null-input, --slurp, --raw-input or --stream, the query runs over the mesh.

-n is kubectl's namespace; jq's -n is --null-input. -s is the server, jq's -s is --slurp; -L is a label column, jq's -L is --library-path; -f is jq's.

A text of a sequence (--seq) that is cut off or not JSON is reported and skipped, as in jq; the exit code is then 2. The same holds for a file that can't be opened, if there are several.

Modules are read only from the folders of --library-path and MESHQ_LIBRARY_PATH, of the query's own file, and of saved queries: ~/.jq is not read. An import can't leave these folders.

An unknown @format is an error before the query runs.
`
