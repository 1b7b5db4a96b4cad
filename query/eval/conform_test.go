package eval

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/itchyny/gojq"
	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"go.yaml.in/yaml/v3"
)

// gojqCase is a case of gojq's own test of its command.
type gojqCase struct {
	name, query string
	inputs      []any
	null        bool // the inputs are for input and inputs only
}

// outputFlags are those of gojq's flags that change only how results look.
const outputFlags = "ncrjCM"

// gojqCases gives the cases that a library can run: without flags that read
// files or change the input.
func gojqCases(t testing.TB) (runnable []gojqCase, others int) {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/itchyny/gojq").Output()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "cli", "test.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name  string
		Args  []string
		Input string
	}
	if err := yaml.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		if tc, ok := runnableCase(c.Name, c.Args, c.Input); ok {
			runnable = append(runnable, tc)
		} else {
			others++
		}
	}
	return runnable, others
}

func runnableCase(name string, args []string, input string) (gojqCase, bool) {
	tc := gojqCase{name: name}
	var words []string
	for _, a := range args {
		switch {
		case a == "--null-input":
			tc.null = true
		case a == "--raw-output" || a == "--tab" || a == "--compact-output" || a == "--join-output" || a == "--raw-output0":
		case len(a) > 1 && a[0] == '-' && len(words) == 0 && strings.Trim(a[1:], outputFlags) == "":
			tc.null = tc.null || strings.Contains(a, "n")
		case strings.HasPrefix(a, "-") && len(words) == 0 && a != "-.":
			return tc, false
		default:
			words = append(words, a)
		}
	}
	if len(words) != 1 || aboutTheHost(words[0]) {
		return tc, false
	}
	tc.query = strings.TrimSpace(words[0])
	dec := json.NewDecoder(strings.NewReader(input))
	dec.UseNumber()
	for {
		var v any
		if err := dec.Decode(&v); err == io.EOF {
			return tc, true
		} else if err != nil {
			return tc, false
		}
		tc.inputs = append(tc.inputs, v)
	}
}

// aboutTheHost tells whether a query asks for what is around it: files, the
// clock, the environment, the list of functions.
func aboutTheHost(query string) bool {
	for _, word := range []string{"import ", "include ", "modulemeta", "builtins", "$ENV", "env", "now", "input_filename", "$__prog_args", "get_search_list"} {
		if strings.Contains(query, word) {
			return true
		}
	}
	return false
}

const mostResults = 300

// results is what one engine made of a query: a line a result, and the error
// last.
type results struct{ lines []string }

var errEnough = errors.New("enough")

func (r *results) add(v any) error {
	text, err := gojq.Marshal(v)
	if err != nil {
		return err
	}
	if r.lines = append(r.lines, string(text)); len(r.lines) >= mostResults {
		return errEnough
	}
	return nil
}

// tooMuch tells whether v has more parts than a test wants to see. Few values
// may be inside one another many times.
func tooMuch(v any) bool {
	left := 100_000
	return !within(v, &left)
}

func within(v any, left *int) bool {
	*left--
	switch v := v.(type) {
	case []any:
		for i := 0; i < len(v) && *left > 0; i++ {
			within(v[i], left)
		}
	case map[string]any:
		for _, w := range v {
			if !within(w, left) {
				break
			}
		}
	}
	return *left > 0
}

func (r *results) fail(err error) { r.lines = append(r.lines, "error: "+err.Error()) }

func (r *results) String() string { return strings.Join(r.lines, "\n") }

// kinds is what r says without the words of errors.
func (r *results) kinds() string {
	out := make([]string, len(r.lines))
	for i, l := range r.lines {
		if out[i] = l; strings.HasPrefix(l, "error: ") {
			out[i] = "error"
		}
	}
	return strings.Join(out, "\n")
}

// alike tells whether r, of lazy inputs, is what plain ones gave. An error does
// not load what it shows of a value: from there on its words may differ.
func (r *results) alike(plain *results) bool {
	if len(r.lines) != len(plain.lines) {
		return false
	}
	for i, l := range r.lines {
		at := notLoaded.FindStringIndex(l)
		if at == nil && l != plain.lines[i] || at != nil && !strings.HasPrefix(plain.lines[i], l[:at[0]]) {
			return false
		}
	}
	return true
}

// notLoaded is what a preview shows of it, or of its beginning.
var notLoaded = regexp.MustCompile(`\{…|\{ \.\.\.`)

type iter func() (any, bool)

func (f iter) Next() (any, bool) { return f() }

func each(vs []any) iter {
	return func() (any, bool) {
		if len(vs) == 0 {
			return nil, false
		}
		v := vs[0]
		vs = vs[1:]
		return v, true
	}
}

var arguments = map[string]any{"named": map[string]any{}, "positional": []any{}}

// byGojq runs a case on gojq's own machine.
func byGojq(ctx context.Context, tc gojqCase) *results {
	out := &results{}
	q, err := gojq.Parse(tc.query)
	if err != nil {
		out.lines = append(out.lines, "does not parse")
		return out
	}
	next := each(tc.inputs)
	same := func(v any, _ []any) any { return v }
	code, err := gojq.Compile(q, gojq.WithInputIter(next), gojq.WithVariables([]string{"$ARGS"}),
		gojq.WithFunction("debug", 0, 0, same), gojq.WithFunction("stderr", 0, 0, same))
	if err != nil {
		out.lines = append(out.lines, "does not compile")
		return out
	}
	tc.each(next, func(v any) bool {
		it := code.RunWithContext(ctx, v, arguments)
		for {
			v, ok := it.Next()
			if !ok {
				return true
			}
			if err, ok := v.(error); ok {
				out.fail(err)
				return true
			}
			if tooMuch(v) || out.add(v) != nil {
				return false
			}
		}
	})
	return out
}

func (tc *gojqCase) each(next iter, run func(v any) bool) {
	if tc.null {
		run(nil)
		return
	}
	for {
		v, ok := next()
		if !ok || !run(v) {
			return
		}
	}
}

// byUs runs a case on the evaluator. wrap makes the inputs what they are given
// as: plain, or lazy.
func byUs(ctx context.Context, tc gojqCase, wrap func(any) any) *results {
	out := &results{}
	p, err := syntax.Parse("", tc.query)
	if err != nil {
		out.lines = append(out.lines, "does not parse")
		return out
	}
	code, err := Compile(p, Options{Variables: []string{"$ARGS"}})
	if err != nil {
		out.lines = append(out.lines, "does not compile")
		return out
	}
	plain := each(tc.inputs)
	next := func() (any, bool) {
		v, ok := plain()
		return wrap(v), ok
	}
	o := RunOptions{Input: func() (any, bool, error) {
		v, ok := next()
		return v, ok, nil
	}}
	tc.each(next, func(v any) bool {
		err := code.Run(ctx, v, []any{arguments}, o, func(v any) error {
			if tooMuch(v) {
				return errEnough
			}
			v, err := mesh.Deep(ctx, v)
			if err != nil {
				return err
			}
			return out.add(v)
		})
		if errors.Is(err, errEnough) {
			return false
		}
		if err != nil {
			out.fail(err)
		}
		return true
	})
	return out
}

func asItIs(v any) any { return v }

// lazily makes every part of a value lazy.
func lazily(v any) any {
	switch x := v.(type) {
	case []any:
		y := make([]any, len(x))
		for i := range x {
			y[i] = lazily(x[i])
		}
		v = y
	case map[string]any:
		y := make(map[string]any, len(x))
		for k := range x {
			y[k] = lazily(x[k])
		}
		v = y
	}
	return mesh.Later(func(context.Context) (any, error) { return v, nil })
}

// exceptions are the cases of gojq's that differ, with the reason.
func exceptions(t *testing.T) map[string]string {
	f, err := os.Open("testdata/exceptions.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out := map[string]string{}
	for s := bufio.NewScanner(f); s.Scan(); {
		line := s.Text()
		if line == "" || line[0] == '#' {
			continue
		}
		name, why, ok := strings.Cut(line, ": ")
		if !ok || why == "" {
			t.Fatalf("exceptions.txt: %q gives no reason", line)
		}
		out[name] = why
	}
	return out
}

// TestConform holds the evaluator to gojq's machine, over every case of gojq's
// test that a library can run: the same results and errors, in the same words,
// of plain inputs and of inputs of which every part is lazy.
func TestConform(t *testing.T) {
	cases, others := gojqCases(t)
	except := exceptions(t)
	if len(except) > 5 {
		t.Errorf("%d exceptions are too many", len(except))
	}
	same, lazy := 0, 0
	seen := map[string]bool{}
	for _, tc := range cases {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		want, got, gotLazily := byGojq(ctx, tc), byUs(ctx, tc, asItIs), byUs(ctx, tc, lazily)
		cancel()
		if gotLazily.alike(got) {
			lazy++
		} else {
			t.Errorf("%s: %s\n lazily %s\n plainly %s", tc.name, tc.query, gotLazily, got)
		}
		_, excepted := except[tc.name]
		switch {
		case got.String() == want.String():
			same++
		case excepted:
			seen[tc.name] = true
		default:
			t.Errorf("%s: %s\n got  %s\n want %s", tc.name, tc.query, brief(got), brief(want))
		}
	}
	for name := range except {
		if !seen[name] {
			t.Errorf("exceptions.txt: %q is no exception any more", name)
		}
	}
	t.Logf("%d of gojq's cases run, %d need a command, files or the clock: %d the same, %d exceptions; lazy the same as plain in %d",
		len(cases), others, same, len(seen), lazy)
}

func brief(r *results) string {
	s := r.String()
	if len(s) > 600 {
		s = s[:600] + " …"
	}
	return s
}
