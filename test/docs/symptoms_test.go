package docs

import (
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	accesslog "github.com/envoyproxy/go-control-plane/envoy/data/accesslog/v3"

	"github.com/meshq/kubectl-meshq/plugin/help"
	"github.com/meshq/kubectl-meshq/test/program"
)

// TestEveryResponseFlagHasHelp compares the response flags that help describes
// with the fields of Envoy's own message ResponseFlags.
func TestEveryResponseFlagHasHelp(t *testing.T) {
	other := map[string]string{ // fields whose names differ from those that Envoy logs
		"UnauthorizedDetails": "UnauthorizedExternalService", "OverloadManager": "OverloadManagerTerminated", "DnsResolutionFailure": "DnsResolutionFailed",
	}
	fields := reflect.TypeFor[accesslog.ResponseFlags]()
	n := 0
	for i := range fields.NumField() {
		f := fields.Field(i)
		if !f.IsExported() {
			continue
		}
		name := f.Name
		if s, ok := other[name]; ok {
			name = s
		}
		n++
		if _, ok := help.FindSymptom(name); !ok {
			t.Errorf("no help on %s", name)
		}
	}
	if n < 27 {
		t.Errorf("the message has %d fields", n)
	}
}

// TestSymptomsLeadOn runs the example of each symptom, and checks that its page
// fits 80 columns, and that the commands it names exist.
func TestSymptomsLeadOn(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range help.Symptoms() {
		for _, word := range append([]string{s.Name}, s.Also...) {
			if seen[strings.ToLower(word)] {
				t.Errorf("%s: two symptoms have this name", word)
			}
			seen[strings.ToLower(word)] = true
		}
		out, errs, code := program.Run(t, program.Words(s.Example)...)
		if code != 0 && code != 1 && code != 6 || out == "" {
			t.Errorf("%s: %s: exit code %d: %s%s", s.Name, s.Example, code, out, errs)
		}
		out, _, code = program.Run(t, "help", s.Name)
		if code != 0 || !strings.Contains(out, s.Title) && !strings.Contains(strings.ReplaceAll(out, "\n", " "), s.Title) {
			t.Errorf("help %s: %d: %s", s.Name, code, out)
		}
		for line := range strings.Lines(out) {
			if utf8.RuneCountInString(line) > 81 && !strings.HasPrefix(line, "  kubectl") {
				t.Errorf("help %s: %s", s.Name, line)
			}
		}
		for _, find := range s.Find {
			line := find[0]
			if line[0] == '\'' { // a query, of which PROXY and CLUSTER are replaced
				line = strings.NewReplacer("PROXY", "reviews-v1", "CLUSTER", "outbound|9080||ratings.default.svc.cluster.local").Replace(line)
				if _, errs, code := program.Run(t, append(program.Words(line), "--snapshot", "demo")...); code != 0 && code != 6 {
					t.Errorf("%s: %s: %d %s", s.Name, line, code, errs)
				}
				continue
			}
			verb := strings.Fields(line)[0]
			if out, errs, code := program.Run(t, "help", verb); code != 0 || out == "" {
				t.Errorf("%s: %s: %s", s.Name, verb, errs)
			}
		}
	}
}

// TestFirstHelpFitsAScreen checks that help fits 80 columns and 24 lines, and
// that help options fits 80 columns.
func TestFirstHelpFitsAScreen(t *testing.T) {
	for topic, most := range map[string]int{"": 23, "options": 1000, "symptoms": 60} {
		words := []string{"help"}
		if topic != "" {
			words = append(words, topic)
		}
		out, _, code := program.Run(t, words...)
		if n := strings.Count(out, "\n"); code != 0 || n > most || n < 10 {
			t.Errorf("help %s has %d lines (exit code %d)", topic, n, code)
		}
		for line := range strings.Lines(out) {
			if utf8.RuneCountInString(line) > 81 {
				t.Errorf("help %s: %s", topic, line)
			}
		}
	}
}
