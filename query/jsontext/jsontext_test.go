package jsontext

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/query/syntax/native"
)

// read parses a text. It returns one line for each value and each error.
func read(text string, o Options) string {
	var out []string
	for p := NewParser(strings.NewReader(text), o); ; {
		v, err := p.Next()
		switch e := (*Error)(nil); {
		case errors.Is(err, io.EOF):
			return strings.Join(out, "\n")
		case errors.As(err, &e):
			out = append(out, "error: "+e.Error())
		default:
			out = append(out, native.Marshal(v))
		}
	}
}

// texts contains valid and invalid JSON texts, with the events that jq 1.8.2 yields for
// them.
var texts = []struct{ text, stream string }{
	{``, ``},
	{`1 2`, "[[],1]\n[[],2]"},
	{`[1,[2,{"a":3}],{}]`, "[[0],1]\n[[1,0],2]\n[[1,1,\"a\"],3]\n[[1,1,\"a\"]]\n[[1,1]]\n[[2],{}]\n[[2]]"},
	{`[] {} "x"`, "[[],[]]\n[[],{}]\n[[],\"x\"]"},
	{`{"a":{"b":[]},"c":null}`, "[[\"a\",\"b\"],[]]\n[[\"a\",\"b\"]]\n[[\"c\"],null]\n[[\"c\"]]"},
	{`[1,`, "[[0],1]\nerror: Unfinished JSON term at EOF at line 1, column 3"},
	{`[1 2]`, "error: Expected separator between values at line 1, column 5"},
	{"[1,\n 2\n", "[[0],1]\nerror: Unfinished JSON term at EOF at line 3, column 0"},
	{`{"a" 1}`, "error: Expected separator between values at line 1, column 7"},
	{`{"a":}`, "error: Missing value in key:value pair at line 1, column 6"},
	{`{1:2}`, "error: Object keys must be strings at line 1, column 3"},
	{`[1,]`, "[[0],1]\nerror: Expected another array element at line 1, column 4"},
	{`}`, "error: Unmatched '}' at the top-level at line 1, column 1"},
	{`[}`, "error: Unmatched '}' in the middle of an array at line 1, column 2"},
	{`{]`, "error: Unmatched ']' in the middle of an object at line 1, column 2"},
	{`"a`, "error: Unfinished string at EOF at line 1, column 2"},
	{`nan NaN Infinity -infinity`, "[[],null]\n[[],null]\n[[],1.7976931348623157e+308]\n[[],-1.7976931348623157e+308]"},
	{`tru`, "error: Invalid literal at EOF at line 1, column 3"},
	{`"\ud83d\ude04\n\u00e9"`, "[[],\"😄\\né\"]"},
	{`"\ud83dx"`, `error: Invalid \uXXXX\uXXXX surrogate pair escape at line 1, column 9`},
	{`1.000 [2e3]`, "[[],1.000]\n[[0],2e3]\n[[0]]"},
}

func TestEvents(t *testing.T) {
	for _, tc := range texts {
		if got := read(tc.text, Options{Stream: true}); got != tc.stream {
			t.Errorf("%s:\n got  %s\n want %s", tc.text, got, tc.stream)
		}
	}
}

func TestSequences(t *testing.T) {
	for text, want := range map[string]string{
		"\x1e1\n\x1e[2]\n":        "1\n[2]",
		"1\n\x1e2\n":              "2",
		"\x1e[1\n\x1e2\n":         "2",
		"\x1e12\x1e3\n":           "error: Potentially truncated top-level numeric value at line 1, column 4\n3",
		"\x1e]\n4\n\x1e5\n":       "error: Unmatched ']' at line 1, column 2 (need RS to resync)\n4\n5",
		"\x1e\"a\"":               `"a"`,
		"\x1e12":                  "error: Potentially truncated top-level numeric value at EOF at line 1, column 3",
		"no separator":            "error: Unfinished abandoned text at EOF at line 1, column 12",
		"\x1e{\"a\":1}\x1e\x1e2 ": "{\"a\":1}\n2",
	} {
		if got := read(text, Options{Seq: true}); got != want {
			t.Errorf("%q:\n got  %s\n want %s", text, got, want)
		}
	}
}

func TestErrorsAreEvents(t *testing.T) {
	got := read("[1,\n}\n[2]\n", Options{Stream: true, Errors: true})
	if want := "[[0],1]\n[\"Expected another key:value pair at line 2, column 1\",[1]]\n[[0],2]\n[[0]]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestDepth(t *testing.T) {
	nested := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	if _, err := Parse(nested(MaxDepth)); err != nil {
		t.Error(err)
	}
	if _, err := Parse(nested(MaxDepth + 1)); err == nil || !strings.HasPrefix(err.Error(), "Exceeds depth limit for parsing at line 1, column 10001 (while parsing") {
		t.Errorf("%.100v", err)
	}
}

// TestAgainstJq parses the texts, and each of their prefixes, and compares the results
// with those of jq 1.8.2. It requires that scripts/jq has built jq.
func TestAgainstJq(t *testing.T) {
	cache := os.Getenv("XDG_CACHE_HOME")
	if cache == "" {
		cache = filepath.Join(os.Getenv("HOME"), ".cache")
	}
	jq := filepath.Join(cache, "kubectl-meshq-bench", "jq-1.8.2", "jq")
	if _, err := os.Stat(jq); err != nil {
		t.Skip("jq 1.8.2 is not here: scripts/jq builds it")
	}
	var all []string
	for _, tc := range texts {
		for i := range len(tc.text) {
			all = append(all, tc.text[:i])
		}
		all = append(all, tc.text, tc.text+"\n", tc.text+"]", tc.text+",", tc.text+":1", tc.text+"{", tc.text+"}", tc.text+" x", "["+tc.text+"]", `{"k":`+tc.text+"}")
	}
	// All texts are checked in one run of jq, with the builtin fromjson.
	in, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(jq, "-c", `.[] | try [fromjson] catch .`)
	cmd.Stdin = strings.NewReader(string(in))
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	var sent []string // a prefix may end inside a character, which is invalid UTF-8 and is replaced in the JSON
	if err := json.Unmarshal(in, &sent); err != nil {
		t.Fatal(err)
	}
	for i, text := range sent {
		v, err := Parse(text)
		got := ""
		if err != nil {
			got = native.Marshal(err.Error())
		} else {
			got = native.Marshal([]any{v})
		}
		var a, b any
		if json.Unmarshal([]byte(got), &a) != nil || json.Unmarshal([]byte(lines[i]), &b) != nil || native.Compare(a, b) != 0 {
			t.Errorf("%s:\n got %s\n jq  %s", text, got, lines[i])
		}
	}
	t.Logf("%d texts", len(sent))
}
