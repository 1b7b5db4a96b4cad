package shipped

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRead(t *testing.T) {
	text := strings.Join([]string{
		"# gone: what is gone.",
		"# It says: more,",
		"# in two lines.",
		"#",
		"#   --ns NAME=default           the namespace",
		"#   --port, -p NUMBER=80        the port",
		"#                               of the service",
		"#   --within DURATION           not longer ago",
		"#   --direction in|out=in       one of them",
		"#   --all-states                all of them: each",
		"#   --verbose true|false=true   all about them",
		"#",
		"# args: a=1=2, b",
		"# aliases: g, going",
		"# output: wide",
		"# columns: A, B C",
		"# columns Cluster: PORT",
		"# words: SERVICE",
		"# severity: warning",
		"# next: look",
		"# example: gone x",
		"# example: gone y",
		"",
		"# aliases: not.the.header",
		".x",
	}, "\r\n")
	got, err := Read("gone", text)
	if err != nil {
		t.Fatal(err)
	}
	want := Query{
		Name: "gone", Summary: "what is gone.", Doc: "It says: more,\nin two lines.", Text: text,
		Aliases: []string{"g", "going"}, Output: "wide", Words: "SERVICE", Severity: "warning", Next: "look", Examples: []string{"gone x", "gone y"},
		Columns: map[string][]string{"": {"A", "B C"}, "Cluster": {"PORT"}},
		Args: []Argument{
			{Name: "ns", Type: Text, Takes: "NAME", Default: "default", Given: true, Doc: "the namespace"},
			{Name: "port", Short: "p", Type: Number, Takes: "NUMBER", Default: "80", Given: true, Doc: "the port of the service"},
			{Name: "within", Type: Duration, Takes: "DURATION", Doc: "not longer ago"},
			{Name: "direction", Type: Choice, Takes: "in|out", Choices: []string{"in", "out"}, Default: "in", Given: true, Doc: "one of them"},
			{Name: "all-states", Type: Switch, Doc: "all of them: each"},
			{Name: "verbose", Type: Switch, Takes: "true|false", Default: "true", Given: true, Doc: "all about them"},
			{Name: "a", Type: Text, Default: "1=2", Given: true},
			{Name: "b", Type: Text},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestReadWithoutHeader(t *testing.T) {
	for _, text := range []string{".x", "", "\n# --not an argument\n.x", "# just words: nothing more\n.x"} {
		if q, err := Read("x", text); err != nil || q.Args != nil || q.Text != text {
			t.Errorf("%q: %v, %v", text, q, err)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	for line, want := range map[string]string{
		"--port NUMBER=x":           `x:1: --port: "x" is no number`,
		"--Port NUMBER":             "an argument's name is lower-case",
		"--port number":             "what it takes is written in capitals",
		"--port NUMBER only ports":  "an argument is written",
		"--within DURATION=1 month": "an argument is written",
		"--within DURATION=1y":      "is no duration",
		"--way in|out=up":           `"up" is none of in, out`,
		"args: a, a":                "there are two such arguments",
		"aliases: a.b":              "is no name",
		"severity: bad":             "is none of error, warning, info",
	} {
		if _, err := Read("x", "# "+line+"\n.x"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, not %s", line, err, want)
		}
	}
}

func TestValue(t *testing.T) {
	for _, c := range []struct {
		arg  Argument
		text string
		want any // nil means an error
	}{
		{Argument{Type: Text}, "5", "5"},
		{Argument{Type: Number}, "5", 5},
		{Argument{Type: Number}, "0.5", 0.5},
		{Argument{Type: Number}, "NaN", nil},
		{Argument{Type: Number}, "", nil},
		{Argument{Type: Duration}, "72h", "72h"},
		{Argument{Type: Duration}, "7d12h", "7d12h"},
		{Argument{Type: Duration}, "7d", "7d"},
		{Argument{Type: Duration}, "-7d", nil},
		{Argument{Type: Duration}, "-1s", nil},
		{Argument{Type: Duration}, "d", nil},
		{Argument{Type: Switch}, "true", true},
		{Argument{Type: Switch}, "yes", nil},
		{Argument{Type: Choice, Choices: []string{"UNHEALTHY", "HEALTHY"}}, "healthy", "HEALTHY"},
		{Argument{Type: Choice, Choices: []string{"UNHEALTHY", "HEALTHY"}}, "health", nil},
	} {
		if got, err := c.arg.Value(c.text); got != c.want || (err == nil) != (c.want != nil) {
			t.Errorf("%s %q: %v, %v", c.arg.Type, c.text, got, err)
		}
	}
	if got := (Argument{Name: "verbose", Type: Switch, Default: "true", Given: true}); got.Unset() != true {
		t.Error(got)
	}
	if got := (Argument{Name: "all-states", Type: Switch}); got.Unset() != false || got.Variable() != "all_states" {
		t.Error(got)
	}
}
