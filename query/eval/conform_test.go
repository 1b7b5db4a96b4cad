package eval

import (
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
	"go.yaml.in/yaml/v3"

	"github.com/meshq/kubectl-meshq/query/conform"
	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// gojqCase is a test case from the tests of gojq's command.
type gojqCase struct {
	name, query string
	inputs      []any
	// whether the query's input is null, so that only the builtins input and inputs read
	// the input values
	null    bool
	names   []string
	values  []any
	library []string
}

// withoutValue lists those flags of gojq, in their short form, that have no value and
// don't change the query.
var withoutValue = map[string]string{
	"--null-input": "n", "--compact-output": "c", "--raw-output": "r", "--join-output": "j", "--raw-output0": "r", "--tab": "c",
	"--color-output": "C", "--monochrome-output": "M", "--exit-status": "e", "--raw-input": "R", "--slurp": "s",
}

// gojqFolder returns the folder that contains gojq's command.
func gojqFolder(t testing.TB) string {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/itchyny/gojq").Output()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(strings.TrimSpace(string(dir)), "cli")
}

// gojqCases returns the test cases that can be run with a library, and the number of
// other cases. The others use input files or other formats, or test the command itself.
func gojqCases(t testing.TB) (runnable []gojqCase, others int) {
	t.Helper()
	folder := gojqFolder(t)
	text, err := os.ReadFile(filepath.Join(folder, "test.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name  string
		Args  []string
		Input string
		Env   []string
	}
	if err := yaml.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		line := commandLine{folder: folder, tc: gojqCase{name: c.Name}}
		if len(c.Env) == 0 && line.read(c.Args, c.Input) {
			runnable = append(runnable, line.tc)
		} else {
			others++
		}
	}
	return runnable, others
}

// commandLine is a parsed command line of gojq.
type commandLine struct {
	folder     string
	tc         gojqCase
	short      string // flags without a value, in their short form
	file       bool   // whether the query is in a file
	words      []string
	positional []any
	named      *object.Object
}

// read parses a test case. It returns false if the case can't be run with a library.
func (l *commandLine) read(args []string, input string) bool {
	l.named, l.positional = object.New(0), []any{}
	rest := ""
	for i := 0; i < len(args); i++ {
		a := args[i]
		value := func(n int) []string {
			i += n
			return args[min(i-n+1, len(args)):min(i+1, len(args))]
		}
		switch {
		case rest == "--" || len(a) < 2 || a[0] != '-' || a == "-.":
			if !l.word(a, rest) {
				return false
			}
		case withoutValue[a] != "":
			l.short += withoutValue[a]
		case a == "--" || a == "--args" || a == "--jsonargs":
			rest = a
		case a == "--arg" || a == "--argjson":
			if !l.variable(value(2), a == "--argjson") {
				return false
			}
		case a == "-L" || a == "--library-path":
			l.tc.library = append(l.tc.library, value(1)...)
		case a == "-f" || a == "--from-file":
			l.file = true
		case strings.Trim(a[1:], "ncrjCMeRs") == "":
			l.short += a[1:]
		default:
			return false
		}
	}
	return l.finish(input)
}

func (l *commandLine) word(a, rest string) bool {
	if rest == "" || rest == "--" || len(l.words) == 0 {
		l.words = append(l.words, a)
		return len(l.words) == 1
	}
	var v any = a
	if rest == "--jsonargs" && decodeAll(a, func(x any) { v = x }) != nil {
		return false
	}
	l.positional = append(l.positional, v)
	return true
}

func (l *commandLine) variable(words []string, isJSON bool) bool {
	if len(words) < 2 || strings.Trim(words[0], "abcdefghijklmnopqrstuvwxyz") != "" {
		return false
	}
	if _, ok := l.named.Lookup(words[0]); ok {
		return true
	}
	var v any = words[1]
	if n := 0; isJSON && (decodeAll(words[1], func(x any) { v, n = x, n+1 }) != nil || n != 1) {
		return false
	}
	l.named.Set(words[0], v)
	l.tc.names, l.tc.values = append(l.tc.names, "$"+words[0]), append(l.tc.values, v)
	return true
}

func decodeAll(text string, use func(any)) error {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	for {
		var v any
		if err := dec.Decode(&v); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		use(object.FromPlain(v))
	}
}

func (l *commandLine) finish(input string) bool {
	if len(l.words) != 1 {
		return false
	}
	tc := &l.tc
	tc.query, tc.null = strings.TrimSpace(l.words[0]), strings.Contains(l.short, "n")
	if l.file {
		text, err := os.ReadFile(filepath.Join(l.folder, l.words[0]))
		if err != nil {
			return false
		}
		tc.query = string(text)
	}
	if aboutTheHost(tc.query) {
		return false
	}
	tc.names = append(tc.names, "$ARGS")
	tc.values = append(tc.values, object.Of("named", l.named, "positional", l.positional))
	raw := strings.Contains(l.short, "R")
	slurped := []any{}
	switch {
	case raw && strings.Contains(l.short, "s"):
		tc.inputs = []any{input}
		return true
	case raw:
		for line := range strings.Lines(input) {
			tc.inputs = append(tc.inputs, strings.TrimSuffix(line, "\n"))
		}
		return true
	}
	err := decodeAll(input, func(v any) { slurped = append(slurped, v) })
	tc.inputs = slurped
	if strings.Contains(l.short, "s") {
		tc.inputs = []any{slurped}
	}
	return err == nil
}

// aboutTheHost reports whether the result of a query depends on the environment in which
// the test runs.
func aboutTheHost(query string) bool {
	for _, word := range []string{"builtins", "input_filename"} {
		if strings.Contains(query, word) {
			return true
		}
	}
	return false
}

// modules loads the modules that are in gojq's test data.
type modules struct{ loader gojq.ModuleLoader }

func (m modules) Module(path string, meta, _ any) (*syntax.Program, any, error) {
	load := m.loader.(interface {
		LoadModuleWithMeta(string, map[string]any) (*gojq.Query, error)
	})
	q, err := load.LoadModuleWithMeta(path, map[string]any{"search": object.ToPlain(meta)})
	if err != nil {
		return nil, nil, err
	}
	p, err := syntax.Parse(path, q.String())
	return p, nil, err
}

func (m modules) Data(path string, meta, _ any) (any, error) {
	load := m.loader.(interface {
		LoadJSONWithMeta(string, map[string]any) (any, error)
	})
	v, err := load.LoadJSONWithMeta(path, map[string]any{"search": object.ToPlain(meta)})
	return object.FromPlain(v), err
}

const mostResults = 300

// results contains the output of a query: one line for each result, and the error in the
// last line.
type results struct{ lines []string }

var errEnough = errors.New("enough")

func (r *results) add(v any) error {
	text, err := gojq.Marshal(object.ToPlain(v))
	if err != nil {
		return err
	}
	if r.lines = append(r.lines, string(text)); len(r.lines) >= mostResults {
		return errEnough
	}
	return nil
}

// tooMuch reports whether v has too many parts for a test. Even a small value may have
// many parts if it contains the same parts many times.
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
	case *object.Object:
		for _, w := range v.All() {
			if !within(w, left) {
				break
			}
		}
	}
	return *left > 0
}

func (r *results) fail(err error) { r.lines = append(r.lines, "error: "+err.Error()) }

func (r *results) String() string { return strings.Join(r.lines, "\n") }

// kinds returns the results, without the texts of the errors.
func (r *results) kinds() string {
	out := make([]string, len(r.lines))
	for i, l := range r.lines {
		if out[i] = l; strings.HasPrefix(l, "error: ") {
			out[i] = "error"
		}
	}
	return strings.Join(out, "\n")
}

// alike reports whether the results r, for an input that isn't loaded, equal the results
// for the loaded input. An error doesn't load the value in its message, so two error
// messages may differ from that value on.
func (r *results) alike(plain *results) bool {
	if len(r.lines) != len(plain.lines) {
		return false
	}
	for i, l := range r.lines {
		if l == plain.lines[i] {
			continue
		}
		at := notLoaded.FindStringIndex(l)
		if at == nil || !strings.HasPrefix(plain.lines[i], l[:at[0]]) {
			return false
		}
	}
	return true
}

// notLoaded matches the part of an error message that replaces a value that isn't loaded,
// and the end of a shortened value.
var notLoaded = regexp.MustCompile(`\{…|,? ?\.\.\.`)

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

// byGojq runs a test case in gojq.
func byGojq(ctx context.Context, tc gojqCase) *results {
	out := &results{}
	q, err := gojq.Parse(tc.query)
	if err != nil {
		out.lines = append(out.lines, "does not parse")
		return out
	}
	next := each(object.ToPlain(tc.inputs).([]any))
	same := func(v any, _ []any) any { return v }
	code, err := gojq.Compile(q, gojq.WithInputIter(next), gojq.WithVariables(tc.names), gojq.WithModuleLoader(gojq.NewModuleLoader(tc.library)),
		gojq.WithFunction("debug", 0, 0, same), gojq.WithFunction("stderr", 0, 0, same))
	if err != nil {
		out.lines = append(out.lines, "does not compile")
		return out
	}
	tc.each(next, func(v any) bool {
		it := code.RunWithContext(ctx, v, object.ToPlain(tc.values).([]any)...)
		for {
			v, ok := it.Next()
			if !ok {
				return true
			}
			if err, ok := v.(error); ok {
				out.fail(err)
				return true
			}
			if tooMuch(object.FromPlain(v)) || out.add(v) != nil {
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

// byUs runs a test case in the evaluator. wrap converts the inputs, for example to lazy
// ones.
func byUs(ctx context.Context, tc gojqCase, wrap func(any) any) *results {
	out := &results{}
	p, err := syntax.Parse("", tc.query)
	if err != nil {
		out.lines = append(out.lines, "does not parse")
		return out
	}
	code, err := Compile(p, Options{Variables: tc.names, Modules: modules{gojq.NewModuleLoader(tc.library)}})
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
		err := code.Run(ctx, v, tc.values, o, func(v any) error {
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

// lazily returns a value in which every part is lazy, so that it is loaded only when it
// is read.
func lazily(v any) any {
	switch x := v.(type) {
	case []any:
		y := make([]any, len(x))
		for i := range x {
			y[i] = lazily(x[i])
		}
		v = y
	case *object.Object:
		y := object.New(x.Len())
		for k := range x.All() {
			y.Set(k, lazily(x.Get(k)))
		}
		v = y
	}
	return mesh.Later(func(context.Context) (any, error) { return v, nil })
}

// exceptions returns those of gojq's test cases in which the evaluator differs from gojq
// on purpose.
func exceptions() map[string]bool {
	out := map[string]bool{}
	for _, d := range conform.Differences() {
		for _, name := range d.Gojq {
			out[name] = true
		}
	}
	return out
}

// runaway is the timeout for a test case that never ends. It must be much longer than any
// other case takes, because the race detector makes a case many times slower on a busy
// machine.
const runaway = 2 * time.Minute

// TestConform compares the evaluator with gojq, for each of gojq's test cases that can be
// run with a library. The results must be equal, and the evaluator must return an error
// exactly if gojq does. Both must be true for loaded inputs and for inputs whose parts
// are all lazy.
func TestConform(t *testing.T) {
	cases, others := gojqCases(t)
	except := exceptions()
	t.Chdir(gojqFolder(t))
	type answers struct{ want, got, lazily *results }
	all := make([]answers, len(cases))
	t.Run("all", func(t *testing.T) {
		for i, tc := range cases {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				ctx, cancel := context.WithTimeout(context.Background(), runaway)
				defer cancel()
				all[i] = answers{byGojq(ctx, tc), byUs(ctx, tc, asItIs), byUs(ctx, tc, lazily)}
			})
		}
	})
	same, lazy := 0, 0
	seen := map[string]bool{}
	for i, tc := range cases {
		want, got, gotLazily := all[i].want, all[i].got, all[i].lazily
		if gotLazily.alike(got) {
			lazy++
		} else {
			t.Errorf("%s: %s\n lazily %s\n plainly %s", tc.name, tc.query, gotLazily, got)
		}
		switch {
		case got.kinds() == want.kinds():
			same++
		case except[tc.name]:
			seen[tc.name] = true
		default:
			t.Errorf("%s: %s\n got  %s\n want %s", tc.name, tc.query, brief(got), brief(want))
		}
	}
	for name := range except {
		if !seen[name] {
			t.Errorf("%q is no exception any more", name)
		}
	}
	if s := conform.Gojq(); s.Cases != len(cases) {
		t.Errorf("there are %d cases, %d are listed", len(cases), s.Cases)
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
