package query_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/query"
	"github.com/meshq/kubectl-meshq/query/conform"
	"github.com/meshq/kubectl-meshq/query/eval"
	"github.com/meshq/kubectl-meshq/query/syntax/native"
	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// jqFolder returns the folder into which scripts/jq puts jq 1.8.2 and its own
// tests.
func jqFolder(t testing.TB) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skip(err)
	}
	if x := os.Getenv("XDG_CACHE_HOME"); x == "" { // scripts/jq uses this folder on every operating system
		if home, err := os.UserHomeDir(); err == nil {
			cache = filepath.Join(home, ".cache")
		}
	}
	dir := filepath.Join(cache, "kubectl-meshq-bench", "jq-1.8.2")
	if _, err := os.Stat(filepath.Join(dir, "tests", "jq.test")); err != nil {
		t.Skip("jq's own tests are not here: scripts/jq brings them")
	}
	return dir
}

// jqCase is a case of one of jq's own test files. It consists of a program, a line
// with its input, and lines with its results. It can also be a program that does
// not compile.
type jqCase struct {
	place          string // position of the case in the test file, as file:line
	program, input string
	results        []string
	fails          bool
}

// jqCases reads a test file in jq's format. Blank lines and comments end a case.
// The line %%FAIL precedes a program that does not compile.
func jqCases(t testing.TB, path string) (cases []jqCase) {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	skipped := func(i int) bool {
		s := strings.TrimLeft(lines[i], " \t")
		return s == "" || s[0] == '#'
	}
	fails := false
	for i := 0; i < len(lines); i++ {
		switch {
		case skipped(i):
			continue
		case strings.HasPrefix(lines[i], "%%FAIL"):
			fails = true
			continue
		}
		c := jqCase{place: fmt.Sprintf("%s:%d", filepath.Base(path), i+1), program: lines[i], fails: fails}
		i++
		if !fails && i < len(lines) {
			c.input = lines[i]
			i++
		}
		for ; i < len(lines) && !skipped(i); i++ {
			c.results = append(c.results, lines[i])
		}
		cases, fails = append(cases, c), false
	}
	return cases
}

var plainLimits = decode.Limits{}

func jqValue(text string) (any, error) {
	return decode.NewStream(strings.NewReader(text), plainLimits).Next()
}

// run compares the results of the plugin with those of the case. It returns the
// difference, or an empty string if they are equal.
func (c *jqCase) run(ctx context.Context, jq string) string {
	modules := os.DirFS(filepath.Join(jq, "tests", "modules"))
	p, err := query.Compile(c.program, query.Options{Plain: true, Modules: []fs.FS{modules}, Data: func(f fs.File) (all []any, err error) {
		s := decode.NewStream(f, plainLimits)
		for {
			v, err := s.Next()
			if errors.Is(err, io.EOF) {
				return all, nil
			}
			if err != nil {
				return nil, err
			}
			all = append(all, v)
		}
	}})
	if c.fails {
		if err == nil {
			return "it compiles"
		}
		return ""
	}
	if err != nil {
		return "it does not compile: " + err.Error()
	}
	in, err := jqValue(c.input)
	if err != nil {
		return "its input: " + err.Error()
	}
	var got []any
	err = p.Run(ctx, in, nil, eval.RunOptions{}, func(v any) error {
		v, err := mesh.Deep(ctx, v)
		got = append(got, v)
		return err
	})
	for i, line := range c.results {
		want, e := jqValue(line)
		if e != nil {
			return "its result: " + e.Error()
		}
		if i >= len(got) {
			return fmt.Sprintf("no result %d, %s: %v", i+1, line, err)
		}
		if native.Compare(want, got[i]) == 0 && !sameInOrder(want, got[i]) { // jq's own tests ignore the order of keys in objects
			if want, e = c.byJq(ctx, jq, i); e != nil {
				return e.Error()
			}
		}
		if !sameInOrder(want, got[i]) {
			return fmt.Sprintf("%s, want %s", native.Marshal(got[i]), line)
		}
	}
	if len(got) > len(c.results) {
		return "one result more: " + native.Marshal(got[len(c.results)])
	}
	return ""
}

// TestJqsOwnTests runs the tests of jq 1.8.2, if scripts/jq has installed them.
func TestJqsOwnTests(t *testing.T) {
	folder := filepath.Join(jqFolder(t), "tests")
	files, err := filepath.Glob(filepath.Join(folder, "*.test"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(files)
	excepted := map[string]bool{}
	for _, d := range conform.Differences() {
		for _, place := range d.JQ {
			excepted[place] = true
		}
	}
	listed := map[string]int{}
	for _, s := range conform.JQ() {
		listed[s.Name] = s.Cases
	}
	total, same := 0, 0
	for _, path := range files {
		cases := jqCases(t, path)
		passed := 0
		for _, c := range cases {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			difference := c.run(ctx, filepath.Dir(folder))
			cancel()
			if difference == "" {
				passed++
			}
			switch {
			case difference != "" && !excepted[c.place]:
				t.Errorf("%s: %s\n\t%s", c.place, c.program, difference)
			case difference == "" && excepted[c.place]:
				t.Errorf("%s: %s is no exception any more", c.place, c.program)
			}
			delete(excepted, c.place)
		}
		name := filepath.Base(path)
		t.Logf("%s: %d of %d", name, passed, len(cases))
		if listed[name] != len(cases) {
			t.Errorf("%s has %d cases, %d are listed", name, len(cases), listed[name])
		}
		delete(listed, name)
		total, same = total+len(cases), same+passed
	}
	if len(excepted)+len(listed) > 0 {
		t.Errorf("there are no %v, %v", excepted, listed)
	}
	t.Logf("%d of %d", same, total)
}

// byJq returns the result of the case at index i according to the real jq.
func (c *jqCase) byJq(ctx context.Context, folder string, i int) (any, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(folder, "jq"), "-c", "-L", filepath.Join(folder, "tests", "modules"), c.program)
	cmd.Stdin = strings.NewReader(c.input)
	out, _ := cmd.Output() // an error after the results isn't part of the case
	lines := strings.Split(string(out), "\n")
	if i >= len(lines) {
		return nil, fmt.Errorf("jq gives %d results", len(lines))
	}
	return jqValue(lines[i])
}

// sameInOrder reports whether two values are equal, including the order of the keys
// in objects.
func sameInOrder(a, b any) bool {
	switch x := a.(type) {
	case []any:
		y, ok := b.([]any)
		return ok && slices.EqualFunc(x, y, sameInOrder)
	case *object.Object:
		y, ok := b.(*object.Object)
		if !ok || !slices.Equal(x.Keys(), y.Keys()) {
			return false
		}
		for k, v := range x.All() {
			if !sameInOrder(v, y.Get(k)) {
				return false
			}
		}
		return true
	}
	return native.Compare(a, b) == 0
}
