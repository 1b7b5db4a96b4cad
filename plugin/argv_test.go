package plugin

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		want command
	}{
		{"nothing", nil, command{}},
		{"words", []string{"-n", "--arg", ".x"}, command{words: []string{"-n", "--arg", ".x"}}}, // the value of -n
		{"jq's two words", []string{"--arg", "a", "b", ".x"}, command{words: []string{".x"}, bindings: []binding{{"--arg", "a", "b"}}}},
		{"kubectl's one", []string{"--arg", "a=b", ".x"}, command{words: []string{".x"}, bindings: []binding{{"--arg", "a", "b"}}}},
		{"joined", []string{"--argjson=a=1", ".x"}, command{words: []string{".x"}, bindings: []binding{{"--argjson", "a", "1"}}}},
		{"a value like an option", []string{"--arg", "a", "-n", ".x"}, command{words: []string{".x"}, bindings: []binding{{"--arg", "a", "-n"}}}},
		{"an empty value", []string{"--arg", "a", "", ".x"}, command{words: []string{".x"}, bindings: []binding{{"--arg", "a", ""}}}},
		{"a value with =", []string{"--arg", "a", "x=y", ".x"}, command{words: []string{".x"}, bindings: []binding{{"--arg", "a", "x=y"}}}},
		{"again", []string{"--arg", "a", "1", "--arg", "a", "2"}, command{bindings: []binding{{"--arg", "a", "1"}, {"--arg", "a", "2"}}}},
		{"args", []string{".x", "--args", "a", "-o", "json", "b"}, command{words: []string{".x", "-o", "json"}, positional: []string{"a", "b"}, json: []bool{false, false}}},
		{"args before the query", []string{"--args", ".x", "a"}, command{words: []string{".x"}, positional: []string{"a"}, json: []bool{false}}},
		{"args with -f", []string{"-f", "q.jq", "--args", "a"}, command{words: []string{"-f", "q.jq"}, positional: []string{"a"}, json: []bool{false}}},
		{"a joined file, then args", []string{"-fq.jq", "--args", "a"}, command{words: []string{"-fq.jq"}, positional: []string{"a"}, json: []bool{false}}},
		{"a group with a file", []string{"-cf", "q.jq", "--args", "a"}, command{words: []string{"-cf", "q.jq"}, positional: []string{"a"}, json: []bool{false}}},
		{"args, the end, the query", []string{"--args", "--", "-1", "a"}, command{words: []string{"--", "-1"}, positional: []string{"a"}, json: []bool{false}}},
		{"jsonargs", []string{".x", "--args", "a", "--jsonargs", "1"}, command{words: []string{".x"}, positional: []string{"a", "1"}, json: []bool{false, true}}},
		{"wait and its query", []string{"wait", "--args", ".x", "a"}, command{words: []string{"wait", ".x"}, positional: []string{"a"}, json: []bool{false}}},
		{"wait with -f", []string{"wait", "-f", "q.jq", "--args", "a"}, command{words: []string{"wait", "-f", "q.jq"}, positional: []string{"a"}, json: []bool{false}}},
		{"a proxy called wait", []string{".x", "--args", "wait"}, command{words: []string{".x"}, positional: []string{"wait"}, json: []bool{false}}},
		{"the end of options", []string{".x", "--args", "--", "-a", "--arg"}, command{words: []string{".x"}, positional: []string{"-a", "--arg"}, json: []bool{false, false}}},
		{"the end, then a query", []string{"--", "--arg"}, command{words: []string{"--", "--arg"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := split(c.args, newRoot(&World{Args: []string{"kubectl-meshq"}}, newFlags()))
			if err != nil {
				t.Fatal(err)
			}
			files := []string(nil)
			if strings.Contains(strings.Join(c.args, " "), "q.jq") {
				files = []string{"q.jq"}
			}
			if !slices.Equal(got.files, files) {
				t.Errorf("files %q, want %q", got.files, files)
			}
			got.free, got.given, got.files = nil, false, nil
			if diff := cmp.Diff(&c.want, got, cmp.AllowUnexported(command{}, binding{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSplitRefuses(t *testing.T) {
	for _, args := range [][]string{{"--arg"}, {"--arg", "a"}, {"--arg=a"}, {"--arg", "1x", "v"}, {"--argjson", "", "1"}, {"--args=1"}} {
		var e *exitError
		if _, err := split(args, newRoot(&World{Args: []string{"kubectl-meshq"}}, newFlags())); !errors.As(err, &e) || e.code != exitUsage {
			t.Errorf("%q: %v", args, err)
		}
	}
}

func TestStrongest(t *testing.T) {
	order := []int{exitUsage, exitCompile, exitRun, exitFound, exitPartial, exitEmpty, exitOK}
	for i, strong := range order {
		for _, weak := range order[i:] {
			if got := strongest(weak, strong); got != strong {
				t.Errorf("of %d and %d: %d", weak, strong, got)
			}
		}
	}
	if got := strongest(exitOK, 7); got != 7 {
		t.Errorf("halt_error's own code became %d", got)
	}
}

func TestSize(t *testing.T) {
	for text, want := range map[string]int64{"512Mi": 512 << 20, "2GiB": 2 << 30, "1000000": 1e6, "1.5Gi": 3 << 29, "10k": 10_000, "3MB": 3e6} {
		var s size
		if err := s.Set(text); err != nil || int64(s) != want {
			t.Errorf("%s: %d %v", text, s, err)
		}
		var again size
		if err := again.Set(s.String()); err != nil || again != s {
			t.Errorf("%s prints as %s, which is %d %v", text, s.String(), again, err)
		}
	}
	for _, text := range []string{"", "x", "-1Gi", "0", "1e30Gi"} {
		var s size
		if err := s.Set(text); err == nil {
			t.Errorf("%q is %d", text, s)
		}
	}
}
