package plugin

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/plugin/options"
	"github.com/meshq/kubectl-meshq/plugin/process"
)

// inputSamples are the contents of valid and invalid input files for every option
// that reads input.
var inputSamples = map[string]string{
	"lines": "1\n2\n", "nested": "[1,[2,{\"a\":3}],{}]\n{\"b\":[]}\n", "cut": "[1,\n", "bad": "[1,\n}\n[2]\n", "texts": "\x1e1\n\x1e[2,3]\n",
	"cuttexts": "\x1e[1\n\x1e12\x1e3\n\x1e]\n4\n\x1e5\n", "words": "a b\nc\x00d\nlast", "empty": "", "strings": "\"x\"\n\"y\"\n", "seven": "7",
}

func inputFolder(t *testing.T) string {
	dir := t.TempDir()
	for name, text := range inputSamples {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// byPlugin runs a command line and returns what it prints.
func byPlugin(args []string) (out, errs string, code int) {
	var o, e bytes.Buffer
	code = Main(&process.World{Args: append([]string{"kubectl-meshq"}, args...), In: strings.NewReader(inputSamples["nested"]), Out: &o, Err: &e, Now: time.Now})
	return o.String(), e.String(), code
}

// TestInputOptions checks the input options against results that jq 1.8.2 printed.
func TestInputOptions(t *testing.T) {
	t.Chdir(inputFolder(t))
	for _, c := range []struct{ args, want string }{
		{"-R --input words .", `"a b" "c\u0000d" "last"`},
		{"-R --slurp --input lines --input seven .", `"1\n2\n7"`},
		{"-R --null-input --input lines [inputs]", `["1","2"]`},
		{"-Rr --input strings .", `"x" "y"`},
		{"--stream --input nested .", `[[0],1] [[1,0],2] [[1,1,"a"],3] [[1,1,"a"]] [[1,1]] [[2],{}] [[2]] [["b"],[]] [["b"]]`},
		{"--stream --null-input --input nested [inputs]|length", `9`},
		{"--stream-errors --input cut .", `[[0],1] ["Unfinished JSON term at EOF at line 2, column 0",[1]]`},
		{"--seq --input texts .[1]?", "\x1e3"},
		{"--seq --slurp --input texts length", "\x1e2"},
		{"--input seven --input lines .", `71 2`}, // jq would join the two files and read the number 71
		{"--input lines --input seven [.,input_filename,input_line_number]", `[1,"lines",1] [2,"lines",2] [7,"seven",0]`},
		{"--null-input --input lines [input_filename,input,input_filename]", `[null,1,"lines"]`},
		{"--input - --slurp input_filename", `"<stdin>"`},
		{"--null-input --slurp --input lines [.,input]", `[null,[1,2]]`},
		{"--slurp --input empty .", `[]`},
		{"-R --slurp --input empty .", `""`},
		{"--unbuffered --input lines .", `1 2`},
		{"-R .", `"[1,[2,{\"a\":3}],{}]" "{\"b\":[]}"`},
		{"--null-input -1", `-1`},
		{"--null-input -(1,2)", `-1 -2`},
		{"--input lines -.", `-1 -2`},
	} {
		out, errs, _ := byPlugin(append([]string{"-c"}, strings.Fields(c.args)...))
		if got := strings.Join(strings.Split(strings.TrimSuffix(out, "\n"), "\n"), " "); got != c.want {
			t.Errorf("%s: %s%s, want %s", c.args, got, errs, c.want)
		}
	}
}

// TestInputLeavesNothingUnsaid checks that input which can't be read is reported,
// and that the other input is still read. The faulty input is a file that can't be
// opened, or a value that is cut off.
func TestInputLeavesNothingUnsaid(t *testing.T) {
	t.Chdir(inputFolder(t))
	for _, c := range []struct {
		args, out, says string
	}{
		{"--input none --input lines .", "1\n2\n", "none: no such file"},
		{"--input lines --input none .", "1\n2\n", "none: no such file"},
		{"--null-input --input none --input lines [inputs]", "[1,2]\n", "none: no such file"},
		{"--seq --input cuttexts .", "\x1e3\n\x1e4\n\x1e5\n", "Potentially truncated top-level numeric value"},
		{"--stream --input cut .", "[[0],1]\n", "cut: Unfinished JSON term at EOF"},
	} {
		out, errs, code := byPlugin(append([]string{"-c"}, strings.Fields(c.args)...))
		if out != c.out || !strings.Contains(errs, c.says) || code != process.ExitUsage {
			t.Errorf("%s: exit code %d, %q, %q", c.args, code, out, errs)
		}
	}
}

func TestPlainInputHasNoNamespace(t *testing.T) {
	for _, args := range []string{"--input - -n 1", "--null-input -n x .", "--snapshot demo -n -c .proxies", "--snapshot demo -n .x", "--snapshot demo -n A .proxies", "--snapshot demo -nr .proxies|length", "--snapshot demo -n default2 .proxies|length"} {
		out, errs, code := byPlugin(strings.Fields(args))
		if code != process.ExitUsage || out != "" || !strings.Contains(errs, options.NamespaceHere) || strings.Count(errs, "\n") != 1 {
			t.Errorf("%s: exit code %d, %q, %q", args, code, out, errs)
		}
	}
	for args, want := range map[string]string{"--snapshot demo -n istio-system .proxies|length": "1\n", "--snapshot demo -n default .proxies|length": "6\n"} {
		if out, errs, code := byPlugin(strings.Fields(args)); code != process.ExitOK || out != want {
			t.Errorf("%s: exit code %d, %q, %q", args, code, out, errs)
		}
	}
	if _, errs, code := byPlugin(strings.Fields("--null-input -l app=x .")); code != process.ExitUsage || !strings.Contains(errs, "-l app=x: ") {
		t.Errorf("exit code %d, %q", code, errs)
	}
}

// TestInputIsReadAsByJq checks that the plugin and jq 1.8.2 print the same for
// every combination of the input options. It requires that scripts/jq has built jq.
func TestInputIsReadAsByJq(t *testing.T) {
	home, err := os.UserHomeDir()
	if err != nil {
		t.Skip(err)
	}
	cache := os.Getenv("XDG_CACHE_HOME")
	if cache == "" {
		cache = filepath.Join(home, ".cache")
	}
	jq := filepath.Join(cache, "kubectl-meshq-bench", "jq-1.8.2", "jq")
	if _, err := os.Stat(jq); err != nil {
		t.Skip("jq 1.8.2 is not here: scripts/jq builds it")
	}
	if testing.Short() {
		t.Skip("it starts jq a thousand times")
	}
	t.Chdir(inputFolder(t))
	files := [][]string{{}, {"lines", "seven"}, {"seven", "lines"}, {"cut", "nested"}, {"lines", "empty", "strings"}}
	for name := range inputSamples {
		files = append(files, []string{name})
	}
	slices.SortFunc(files, slices.Compare)
	n := 0
	for _, how := range []string{"", "--raw-input", "--stream", "--stream-errors", "--seq", "--raw-input --stream", "--seq --stream", "--seq --raw-input"} {
		for _, mode := range []string{"", "--null-input", "--slurp", "--null-input --slurp"} {
			programs := []string{`[., input_filename, input_line_number]`, `[., (try input catch "no")]`}
			if strings.Contains(mode, "null") {
				programs = []string{`[inputs]`, `try input catch "no"`, `[input_filename, (try input catch "no"), input_filename]`}
			}
			for _, in := range files {
				for _, program := range programs {
					args := append([]string{"-c"}, strings.Fields(how+" "+mode)...)
					ours := slices.Concat(args, []string{"-Q", program})
					for _, f := range append(slices.Clone(in), "-")[:max(len(in), 1)] {
						ours = append(ours, "--input", f)
					}
					out, errs, code := byPlugin(ours)
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					cmd := exec.CommandContext(ctx, jq, slices.Concat(args, []string{program}, in)...)
					cmd.Stdin = strings.NewReader(inputSamples["nested"])
					want, err := cmd.Output()
					cancel()
					// jq exits with 0 if it skipped a damaged text of a sequence.
					alike := (err == nil) == (code == process.ExitOK) || strings.Contains(how, "seq")
					if !alike || !slices.EqualFunc(strings.Split(out, "\n"), strings.Split(string(want), "\n"), sameJSON) {
						t.Errorf("%q of %q: exit code %d\n%s%s jq %v\n%s", ours, in, code, out, errs, err, want)
					}
					n++
				}
			}
		}
	}
	t.Logf("%d command lines", n)
}

// sameJSON reports whether two lines contain equal JSON values. The order of keys
// doesn't matter.
func sameJSON(a, b string) bool {
	var x, y any
	a, b = strings.TrimPrefix(a, "\x1e"), strings.TrimPrefix(b, "\x1e")
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
		return a == b
	}
	p, err1 := json.Marshal(x)
	q, err2 := json.Marshal(y)
	return err1 == nil && err2 == nil && bytes.Equal(p, q)
}
