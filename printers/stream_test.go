package printers

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/printers/encode"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// A recording is the output of another program for a value.
type recording struct {
	Value   string
	Literal bool // numbers are json.Number values, which keep their text
	Args    []string
	Colors  *string
	Note    string
	Want    string
}

func records(t *testing.T, file string) (all []recording) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for s := bufio.NewScanner(bytes.NewReader(text)); s.Scan(); {
		var r recording
		if err := object.Unmarshal(s.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

// options parses jq's flags.
func options(args []string) (o Options) {
	for i, a := range args {
		switch a {
		case "-c":
			o.Compact = true
		case "--tab":
			o.Tab = true
		case "--indent":
			o.Indent = args[i+1]
		case "-r":
			o.Raw = true
		case "-j":
			o.Join = true
		case "--raw-output0":
			o.Raw0 = true
		case "-a":
			o.ASCII = true
		case "--seq":
			o.Seq = true
		case "-C":
			o.Color = true
		}
	}
	return o
}

// specialNumber returns the number for a placeholder like "$NaN", because JSON
// can't express that number.
func specialNumber(v any) any {
	switch v {
	case "$NaN":
		return math.NaN()
	case "$Inf":
		return math.Inf(1)
	case "$-Inf":
		return math.Inf(-1)
	}
	return v
}

// TestStreamIsGojqs checks that the output equals recorded output of gojq 0.12.20,
// except for characters that are unsafe on a terminal.
func TestStreamIsGojqs(t *testing.T) {
	for _, r := range records(t, "testdata/gojq.jsonl") {
		v := read(t, r.Value, r.Literal)
		if !r.Literal {
			v = specialNumber(v)
		}
		o, want := options(r.Args), r.Want
		if !o.Raw && !o.Join && !o.Raw0 {
			want = safelyWritten(t, want)
		}
		if got := render(t, o, v); got != want {
			t.Errorf("%s %v:\n got %q\nwant %q", r.Value, r.Args, got, want)
		}
	}
}

// TestStreamIsJQs checks that colours and the output of -a and --seq equal recorded
// output of jq 1.8.
func TestStreamIsJQs(t *testing.T) {
	for _, r := range records(t, "testdata/jq.jsonl") {
		o := options(r.Args)
		var note string
		o.Note = func(s string) { note = s }
		if r.Colors != nil {
			o.Colors = *r.Colors
		}
		want := r.Want
		if !o.Raw && !o.Join && !o.Raw0 {
			want = safelyWritten(t, want)
		}
		if got := render(t, o, read(t, r.Value, false)); got != want {
			t.Errorf("%s %v %q:\n got %q\nwant %q", r.Value, r.Args, o.Colors, got, want)
		}
		if note != r.Note {
			t.Errorf("%q: note %q, want %q", o.Colors, note, r.Note)
		}
	}
}

// TestStreamIsInstalledJQs checks that the output equals that of the installed jq. It
// uses only values and flags whose output is the same in all versions of jq.
func TestStreamIsInstalledJQs(t *testing.T) {
	jq, err := exec.LookPath("jq")
	if err != nil {
		t.Skip("no jq here")
	}
	text, err := os.ReadFile("testdata/values.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var values []any
	var input []string
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		if v := read(t, line, false); line != "-0" && hasPortableNumbers(v) {
			values, input = append(values, v), append(input, line)
		}
	}
	if len(values) < 100 {
		t.Fatalf("only %d values to compare", len(values))
	}
	for _, args := range [][]string{{}, {"-c"}, {"-r"}, {"-j"}, {"-a"}, {"--tab"}, {"--indent", "3"}, {"--indent", "7"}, {"-a", "-c"}} { // not -a with -r, which fails in jq 1.6
		cmd := exec.Command(jq, append([]string{"-S", "."}, args...)...)
		cmd.Stdin = strings.NewReader(strings.Join(input, "\n"))
		want, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		o := options(args)
		if !o.Raw && !o.Join {
			want = []byte(safelyWritten(t, string(want)))
		}
		if got := render(t, o, values...); got != string(want) {
			t.Errorf("jq %v:\n got %.2000s\nwant %.2000s", args, got, want)
		}
	}
}

// hasPortableNumbers reports whether every version of jq prints all numbers in
// v in the same way.
func hasPortableNumbers(v any) bool {
	switch v := v.(type) {
	case int:
		return v > -1<<53 && v < 1<<53
	case []any:
		return !slices.ContainsFunc(v, func(v any) bool { return !hasPortableNumbers(v) })
	case *object.Object:
		for _, m := range v.All() {
			if !hasPortableNumbers(m) {
				return false
			}
		}
		return true
	case nil, bool, string:
		return true
	}
	return false
}

func TestStreamEncodesLargeValuesInParts(t *testing.T) {
	// the value is larger than what Render encodes
	items := make([]any, 120000)
	for i := range items {
		items[i] = object.Of("name", strings.Repeat("x", 20), "n", i)
	}
	var b bytes.Buffer
	p, err := New(Options{Out: &b, Compact: true})
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.Render(context.Background(), items)
	if err != nil {
		t.Fatal(err)
	}
	if e := r.(line).value; e.Done() {
		t.Error("Render encoded all of it")
	}
	if err := p.Print(r); err != nil {
		t.Fatal(err)
	}
	want, _ := json.Marshal(items)
	if got := bytes.TrimSuffix(b.Bytes(), []byte("\n")); !bytes.Equal(got, want) {
		t.Errorf("%d bytes printed, want %d", len(got), len(want))
	}
}

func TestStreamRaw0RefusesNUL(t *testing.T) {
	if got := render(t, Options{Raw0: true}, "a", 1, "b"); got != "a\x001\x00b\x00" {
		t.Errorf("%q", got)
	}
	if _, err := try(Options{Raw0: true}, "a\x00b"); err == nil || !strings.Contains(err.Error(), "NUL") {
		t.Errorf("error %v", err)
	}
}

func TestStreamLimitsDepth(t *testing.T) {
	nested := func(n int) (v any) {
		for range n {
			v = []any{v}
		}
		return v
	}
	if got := render(t, Options{Compact: true}, nested(encode.MaxDepth)); len(got) != 2*encode.MaxDepth+len("null\n") {
		t.Errorf("%d bytes", len(got))
	}
	if _, err := try(Options{Compact: true}, nested(1000000)); err == nil || !strings.Contains(err.Error(), "10000 deep") {
		t.Errorf("error %v", err)
	}
}

func TestStreamReplacesInvalidUTF8(t *testing.T) {
	if got := render(t, Options{Compact: true}, "a\xffb\xc3"); got != `"a\ufffdb\ufffd"`+"\n" {
		t.Errorf("%q", got)
	}
}
