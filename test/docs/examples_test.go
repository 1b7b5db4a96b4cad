package docs

import (
	"slices"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/query/library"
	"github.com/meshq/kubectl-meshq/test/program"
)

// TestLibraryExamplesRun runs the examples of all library functions on the demo.
// Each must succeed and print something.
func TestLibraryExamplesRun(t *testing.T) {
	for _, f := range library.Functions() {
		if len(f.Examples) == 0 {
			t.Errorf("%s has no example", f.Signature)
		}
		for _, example := range f.Examples {
			out, errs, code := program.Run(t, "--snapshot", "demo", "-c", "--", example)
			if said := strings.TrimSpace(out); code != 0 || errs != "" || slices.Contains([]string{"", "0", "[]", "null", "false"}, said) {
				t.Errorf("%s: %s: exit code %d: %s%s", f.Signature, example, code, out, errs)
			}
		}
	}
}

// TestHelpPagesPrint checks that every help page can be printed, including a
// page per function.
func TestHelpPagesPrint(t *testing.T) {
	topics := []string{"language", "document", "functions", "queries", "snapshots", "exit-codes", "safety", "istioctl", "Proxy", "Cluster", "Listener", "Endpoint"}
	for _, f := range library.Functions() {
		topics = append(topics, f.Name)
	}
	for _, topic := range topics {
		if out, errs, code := program.Run(t, "help", topic); code != 0 || errs != "" || len(out) < 40 {
			t.Errorf("help %s: exit code %d: %s%s", topic, code, out, errs)
		}
	}
	if _, errs, code := program.Run(t, "help", "nothing"); code != 2 || !strings.Contains(errs, "no help on nothing") {
		t.Errorf("exit code %d: %s", code, errs)
	}
}

// TestQueriesOfLanguagePageRun runs every query of the help page on the language.
func TestQueriesOfLanguagePageRun(t *testing.T) {
	page, _, code := program.Run(t, "help", "language")
	ran := 0
	for line := range strings.Lines(page) {
		query, indented := strings.CutPrefix(line, "  ")
		if !indented || code != 0 {
			continue
		}
		query, _, _ = strings.Cut(strings.TrimSpace(query), "   ")
		out, errs, code := program.Run(t, "--snapshot", "demo", "-c", "--", query)
		if code != 0 || errs != "" || out == "" {
			t.Errorf("%s: exit code %d: %s%s", query, code, out, errs)
		}
		ran++
	}
	if ran < 10 {
		t.Errorf("only %d queries were run", ran)
	}
	if two, _, _ := program.Run(t, "help", "exit", "codes"); !strings.Contains(two, "the query does not compile") {
		t.Errorf("help exit codes: %s", two)
	}
}
