package help

import (
	"fmt"
	"strings"

	"github.com/meshq/kubectl-meshq/query/conform"
)

// jqPage is the manual's page on how far the language is jq's.
func jqPage() string {
	var b strings.Builder
	b.WriteString("# jq\n\nThe language is that of jq 1.8.2. Where gojq 0.12.20 differs, jq is followed. " +
		"A test runs the cases of both where they are to be had (`scripts/jq` builds jq and keeps its tests): one that fails and is not listed here fails the test, and so does one that is listed and passes.\n" +
		"\n| cases of | pass | of |\n|---|---:|---:|\n")
	pass, all := 0, 0
	for _, s := range conform.JQ() {
		ok := s.Cases - conform.FailsJQ(s.Name)
		fmt.Fprintf(&b, "| jq 1.8.2, %s | %d | %d |\n", s.Name, ok, s.Cases)
		pass, all = pass+ok, all+s.Cases
	}
	gojq := conform.Gojq()
	fmt.Fprintf(&b, "| **jq 1.8.2, all** | **%d** | **%d** |\n| gojq 0.12.20, %s | %d | %d |\n", pass, all, gojq.Name, gojq.Cases-conform.FailsGojq(), gojq.Cases)
	b.WriteString("\nA program that jq refuses to compile passes where it is refused here, in other words: an error says where in the query it is.\n\n## What differs\n")
	for _, d := range conform.Differences() {
		fmt.Fprintf(&b, "\n- %s\n", escapedMarkdown(d.Reason))
		if len(d.JQ) > 0 {
			fmt.Fprintf(&b, "  jq's cases: %s.\n", strings.Join(d.JQ, ", "))
		}
		if len(d.Gojq) > 0 {
			fmt.Fprintf(&b, "  gojq's cases: %s.\n", escapedMarkdown(strings.Join(d.Gojq, "; ")))
		}
	}
	b.WriteString("\n## What is elsewhere\n\n" + markdown(jqElsewhere))
	return b.String()
}

// jqElsewhere is what somebody who knows jq's command has to know of this one.
const jqElsewhere = `The input of jq is named: --input FILE, as often as there are files, or - for standard input. Without it, and without --null-input, --slurp, --raw-input or --stream, a query is of the mesh.

-n is kubectl's namespace: jq's is --null-input. -s is the server, jq's is --slurp; -L is a label's column, jq's is --library-path; -f is jq's.

A text of a sequence (--seq) that is cut off or wrong is reported and left out, as by jq; the exit code is 2 then. So it is where one of several files can't be opened.

Modules come from the folders that --library-path and MESHQ_LIBRARY_PATH name, and from nowhere else: ~/.jq is not read. No import leads out of them.

An unknown @format is an error before the query runs.
`
