package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/query/library"
)

// TestLibraryExamples runs every example of the library's functions on the
// mesh that comes with the plugin: each compiles, ends well and prints.
func TestLibraryExamples(t *testing.T) {
	for _, f := range library.Functions() {
		if len(f.Examples) == 0 {
			t.Errorf("%s has no example", f.Signature)
		}
		for _, example := range f.Examples {
			out, errs, code := meshq(t, "--snapshot", "demo", "-c", "--", example)
			if said := strings.TrimSpace(out); code != 0 || errs != "" || slices.Contains([]string{"", "0", "[]", "null", "false"}, said) {
				t.Errorf("%s: %s: exit code %d: %s%s", f.Signature, example, code, out, errs)
			}
		}
	}
}

// TestHelp prints every page of help, and the page of every function.
func TestHelp(t *testing.T) {
	topics := []string{"document", "functions", "snapshots", "exit-codes", "Proxy", "Cluster", "Listener", "Endpoint"}
	for _, f := range library.Functions() {
		topics = append(topics, f.Name)
	}
	for _, topic := range topics {
		if out, errs, code := meshq(t, "help", topic); code != 0 || errs != "" || len(out) < 40 {
			t.Errorf("help %s: exit code %d: %s%s", topic, code, out, errs)
		}
	}
	if _, errs, code := meshq(t, "help", "nothing"); code != 2 || !strings.Contains(errs, "no help on nothing") {
		t.Errorf("exit code %d: %s", code, errs)
	}
}
