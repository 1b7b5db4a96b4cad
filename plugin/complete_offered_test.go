package plugin

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/plugin/shell"
	"github.com/spf13/cobra"
)

// TestOfferedKeepsShellsFromActing checks that completions never contain control
// characters. If the shell inserts completions unquoted, they also contain nothing
// that the shell would run.
func TestOfferedKeepsShellsFromActing(t *testing.T) {
	all := []string{
		"plain.default", "zzz\npwn.sh\n#", "a\x1b[2Jb", "a\rb", "a\x00b", "a\u009bb", "a\u202eb", "a\x7fb", "a\xffb",
		"$(touch x)", "`touch x`", "a;touch x", "a|b", "a&b", "a>b", "a<(b)", "${x@P}", "$'\\n'", "a!!", `a\`, "$ARGS", "select(", "outbound[0]", "doc\tsays\x1b[2J\nmore",
	}
	fixed := func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) { return all, 0 }
	for _, c := range []struct {
		requotes bool
		begun    string
		want     string
	}{
		{false, "", "plain.default $ARGS select( outbound[0] doc\tsays\\u001b[2J\\nmore"},
		{false, "a|", "plain.default a|b $ARGS select( outbound[0] doc\tsays\\u001b[2J\\nmore"},
		{true, "", "plain.default $(touch x) `touch x` a;touch x a|b a&b a>b a<(b) ${x@P} $'\\n' a!! a\\ $ARGS select( outbound[0] doc\tsays\\u001b[2J\\nmore"},
		{false, "'.x", "plain.default $(touch x) `touch x` a;touch x a|b a&b a>b a<(b) ${x@P} $'\\n' a!! a\\ $ARGS select( outbound[0] doc\tsays\\u001b[2J\\nmore"},
	} {
		got, _ := completion{World: &process.World{Requotes: c.requotes}}.offered(fixed)(nil, nil, c.begun)
		if strings.Join(got, " ") != c.want {
			t.Errorf("%v %q: %q, want %q", c.requotes, c.begun, got, c.want)
		}
	}
}

// TestRequotedIsReadBack checks that a completion that was quoted and inserted is
// read back unchanged, in each kind of quote. ShellWords reads it, and so do bash
// and zsh if they are installed.
func TestRequotedIsReadBack(t *testing.T) {
	texts := []string{
		"a b", `$(x)`, "`x`", "a'b", `a"b`, `a\b`, "!!", "~x", "#x", "=ls", "{a,b}", "*?[x]", "a^b", "a;b|c&d<e>f", "é日", "%1", "+(x)", "~+", "${HOME}", "$'x'", "-x", "x=~y",
	}
	for _, quote := range []string{"", "'", `"`} {
		q := byte(0)
		if quote != "" {
			q = quote[0]
		}
		line := ""
		for _, text := range texts {
			word := quote + shell.Requoted(text, q) + quote
			words := shell.ShellWords("x "+word, func(string) string { return "" })
			if len(words) != 2 || words[1].Text != text {
				t.Errorf("%q in %s: %+v", text, quote, words)
			}
			line += " " + word
		}
		for _, shell := range [][]string{{"bash", "-O", "extglob", "-c"}, {"zsh", "-f", "-o", "extendedglob", "-c"}} {
			if _, err := exec.LookPath(shell[0]); err != nil {
				continue
			}
			out, err := exec.Command(shell[0], append(shell[1:], `printf '%s\n' --`+line)...).CombinedOutput()
			if want := "--\n" + strings.Join(texts, "\n") + "\n"; string(out) != want && "--\n"+string(out) != want || err != nil {
				t.Errorf("%s in %s: %v: %s", shell[0], quote, err, out)
			}
		}
	}
}
