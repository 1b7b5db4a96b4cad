package plugin

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/meshq/kubectl-meshq/plugin/options"
	"github.com/meshq/kubectl-meshq/plugin/process"
)

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		want options.CommandLine
	}{
		{"nothing", nil, options.CommandLine{}},
		{"words", []string{"-n", "--arg", ".x"}, options.CommandLine{Words: []string{"-n", "--arg", ".x"}}}, // "--arg" is the value of -n here
		{"jq's two words", []string{"--arg", "a", "b", ".x"}, options.CommandLine{Words: []string{".x"}, Bindings: []options.Binding{{Flag: "--arg", Name: "a", Value: "b"}}}},
		{"kubectl's one", []string{"--arg", "a=b", ".x"}, options.CommandLine{Words: []string{".x"}, Bindings: []options.Binding{{Flag: "--arg", Name: "a", Value: "b"}}}},
		{"joined", []string{"--argjson=a=1", ".x"}, options.CommandLine{Words: []string{".x"}, Bindings: []options.Binding{{Flag: "--argjson", Name: "a", Value: "1"}}}},
		{"a value like an option", []string{"--arg", "a", "-n", ".x"}, options.CommandLine{Words: []string{".x"}, Bindings: []options.Binding{{Flag: "--arg", Name: "a", Value: "-n"}}}},
		{"an empty value", []string{"--arg", "a", "", ".x"}, options.CommandLine{Words: []string{".x"}, Bindings: []options.Binding{{Flag: "--arg", Name: "a", Value: ""}}}},
		{"a value with =", []string{"--arg", "a", "x=y", ".x"}, options.CommandLine{Words: []string{".x"}, Bindings: []options.Binding{{Flag: "--arg", Name: "a", Value: "x=y"}}}},
		{"again", []string{"--arg", "a", "1", "--arg", "a", "2"}, options.CommandLine{Bindings: []options.Binding{{Flag: "--arg", Name: "a", Value: "1"}, {Flag: "--arg", Name: "a", Value: "2"}}}},
		{"args", []string{".x", "--args", "a", "-o", "json", "b"}, options.CommandLine{Words: []string{".x", "-o", "json"}, Positional: []string{"a", "b"}, JSON: []bool{false, false}}},
		{"args before the query", []string{"--args", ".x", "a"}, options.CommandLine{Words: []string{".x"}, Positional: []string{"a"}, JSON: []bool{false}}},
		{"args with -f", []string{"-f", "q.jq", "--args", "a"}, options.CommandLine{Words: []string{"-f", "q.jq"}, Positional: []string{"a"}, JSON: []bool{false}}},
		{"a joined file, then args", []string{"-fq.jq", "--args", "a"}, options.CommandLine{Words: []string{"-fq.jq"}, Positional: []string{"a"}, JSON: []bool{false}}},
		{"a group with a file", []string{"-cf", "q.jq", "--args", "a"}, options.CommandLine{Words: []string{"-cf", "q.jq"}, Positional: []string{"a"}, JSON: []bool{false}}},
		{"args, the end, the query", []string{"--args", "--", "-1", "a"}, options.CommandLine{Words: []string{"--", "-1"}, Positional: []string{"a"}, JSON: []bool{false}}},
		{"jsonargs", []string{".x", "--args", "a", "--jsonargs", "1"}, options.CommandLine{Words: []string{".x"}, Positional: []string{"a", "1"}, JSON: []bool{false, true}}},
		{"wait and its query", []string{"wait", "--args", ".x", "a"}, options.CommandLine{Words: []string{"wait", ".x"}, Positional: []string{"a"}, JSON: []bool{false}}},
		{"wait with -f", []string{"wait", "-f", "q.jq", "--args", "a"}, options.CommandLine{Words: []string{"wait", "-f", "q.jq"}, Positional: []string{"a"}, JSON: []bool{false}}},
		{"a proxy called wait", []string{".x", "--args", "wait"}, options.CommandLine{Words: []string{".x"}, Positional: []string{"wait"}, JSON: []bool{false}}},
		{"the end of options", []string{".x", "--args", "--", "-a", "--arg"}, options.CommandLine{Words: []string{".x"}, Positional: []string{"-a", "--arg"}, JSON: []bool{false, false}}},
		{"the end, then a query", []string{"--", "--arg"}, options.CommandLine{Words: []string{"--", "--arg"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := options.Split(c.args, newRoot(&process.World{Args: []string{"kubectl-meshq"}}, options.NewFlags()))
			if err != nil {
				t.Fatal(err)
			}
			files := []string(nil)
			if strings.Contains(strings.Join(c.args, " "), "q.jq") {
				files = []string{"q.jq"}
			}
			if !slices.Equal(got.Files, files) {
				t.Errorf("files %q, want %q", got.Files, files)
			}
			got.Free, got.Given, got.Files = nil, false, nil
			if diff := cmp.Diff(&c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSplitRefuses(t *testing.T) {
	for _, args := range [][]string{{"--arg"}, {"--arg", "a"}, {"--arg=a"}, {"--arg", "1x", "v"}, {"--argjson", "", "1"}, {"--args=1"}} {
		var e *process.ExitError
		if _, err := options.Split(args, newRoot(&process.World{Args: []string{"kubectl-meshq"}}, options.NewFlags())); !errors.As(err, &e) || e.Code != process.ExitUsage {
			t.Errorf("%q: %v", args, err)
		}
	}
}

func TestStrongest(t *testing.T) {
	order := []int{process.ExitUsage, process.ExitCompile, process.ExitRun, process.ExitFound, process.ExitPartial, process.ExitEmpty, process.ExitOK}
	for i, strong := range order {
		for _, weak := range order[i:] {
			if got := process.Strongest(weak, strong); got != strong {
				t.Errorf("of %d and %d: %d", weak, strong, got)
			}
		}
	}
	if got := process.Strongest(process.ExitOK, 7); got != 7 {
		t.Errorf("halt_error's own code became %d", got)
	}
}

func TestSize(t *testing.T) {
	for text, want := range map[string]int64{"512Mi": 512 << 20, "2GiB": 2 << 30, "1000000": 1e6, "1.5Gi": 3 << 29, "10k": 10_000, "3MB": 3e6} {
		var s options.Size
		if err := s.Set(text); err != nil || int64(s) != want {
			t.Errorf("%s: %d %v", text, s, err)
		}
		var again options.Size
		if err := again.Set(s.String()); err != nil || again != s {
			t.Errorf("%s prints as %s, which is %d %v", text, s.String(), again, err)
		}
	}
	for _, text := range []string{"", "x", "-1Gi", "0", "1e30Gi"} {
		var s options.Size
		if err := s.Set(text); err == nil {
			t.Errorf("%q is %d", text, s)
		}
	}
}
