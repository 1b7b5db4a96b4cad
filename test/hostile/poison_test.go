package hostile

import (
	"bytes"
	"context"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/meshq/kubectl-meshq/plugin"
	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/test/program"
)

// unsafeText is appended to the strings and keys of a capture, which is
// called poisoned then. It contains each kind of unsafe character, and a
// line that looks like output of the plugin.
const unsafeText = "\x1b[31mE\x1b]0;T\x07\u009b41m\u202eB\u2066I\x00N\rC\b\x7f\u200b\u2028\nFAKE-LINE error: all good\r\x1b[2K"

var full = flag.Bool("full", false, "run the poisoned captures through every command and output, and every kind of completion; otherwise a sample")

// poisonedCommands returns all commands and saved queries with all their output
// formats, and also queries whose errors and messages contain text of the
// capture.
func poisonedCommands(t *testing.T) (all [][]string) {
	names, _, code := program.Run(t, "list", "-o", "name")
	if code != 0 {
		t.Fatal(names)
	}
	const reviews = "reviews-v1-7f99cc4496-gdxfn"
	of := map[string][]string{"trace": {"productpage-v1", "http://reviews:9080/reviews/1"}, "describe": {"pod/" + reviews}}
	outputs := [][]string{
		nil, {"-o", "table"}, {"-o", "wide"}, {"-o", "name"}, {"-o", "json"}, {"-o", "ndjson"}, {"-o", "yaml"}, {"--show-labels"}, {"-C"}, {"-r"}, {"-j"},
		{"-o", "jsonpath={.name}{\"\\n\"}"}, {"-o", "go-template={{.}}"}, {"-o", "custom-columns=A:.name,B:.labels"},
	}
	for _, name := range append(strings.Fields(names), "describe", "trace") {
		for _, o := range outputs {
			all = append(all, append(append([]string{name}, of[name]...), o...))
		}
	}
	first := ".proxies[0].clusters[0]"
	for _, q := range []string{
		first, ".faults[]", ".proxies[0] | .sync", first + ".name | error", first + ".name | halt_error", first + ".name | debug", first + ".name | stderr",
		first + ".name + 1", first + ".name | tonumber", first + " | has(0)", first + ".name | fromjson", first + `.name | test("(")`, first + ".name as $x | .[$x].a.b",
		first + `.name | strptime("%Y")`, first + ".name | {(.): 1}", `.proxy("re` + "\x1b[31m\u009b" + `")`, ".services[]", ".virtualServices[]", ".pilots[]", ".pods[]?",
		".proxies[].clusters[0] | group(.name)", ".proxies[].loggers", ".proxies[0].server", ".proxies[0].bootstrap", first + `.name | @text "\(.)"`, ".proxies[0].labels | keys[]",
		".proxies[0].clusters[0].name | ltrimstr(1), ascii, implode", "input",
	} {
		for _, o := range [][]string{nil, {"-o", "yaml"}, {"-o", "kyaml"}, {"-o", "table"}, {"-o", "name"}, {"-o", "jsonpath={@}"}, {"-o", "go-template={{.}}"}, {"-o", "custom-columns=A:."}, {"-r"}, {"-a"}, {"--seq"}} {
			all = append(all, append([]string{q}, o...))
		}
	}
	return append(all, [][]string{
		{"diff", "--against", "demo"}, {"diff", "--against", "demo", "-o", "json"}, {"diff", "--against", "demo", "--patch"}, {"diff"}, {"diff", "reviews-v2"}, {"diff", "reviews-v2", "-o", "table"}, {"diff", "reviews-v2", "-o", "json"}, {"diff", "reviews-v2", "--patch"},
		{"graph"}, {"graph", "-o", "json"}, {"graph", "-o", "dot"}, {"graph", "-o", "mermaid"}, {"graph", "--from", "x\x1b[31m"}, {"report"}, {"report", "-o", "markdown"},
		{"diff", "reviews-v1", "--with", "reviews-v2"}, {"diff", "reviews-v1", "--with", "reviews-v2", "--all", "-o", "json"}, {"diff", "reviews-v1", "--with", "x\x1b[31m\nFAKE-LINE"},
		{"trace", "productpage-v1", "http://reviews:9080/reviews/1", "-o", "mermaid"}, {"describe", "gateway/istio-ingressgateway"}, {"describe", "virtualservice/reviews"}, {"describe", "gateway/x\x1b[31m"},
		{"help", "x\x1b[31m\nFAKE-LINE"}, {"migration", "default"}, {"whatif", "-f", "/nowhere\x1b[31m\nFAKE-LINE"},
		{"describe", "svc/reviews"}, {"describe", "reviews-v2"}, {"trace", "productpage-v1", "http://reviews:9080/\x1b[31mx\u009b"}, {"trace", "--all", "http://reviews:9080/"},
		{"trace", "pod\x1b[31m", "http://a\x1b[31m/"}, {"--explain", first + `| select(.name == "x` + "\x1b[31m\nFAKE-LINE" + `")`}, {"--explain", "clusters"},
		{first, "-o", "custom-columns=A\x1b[31m:.name"}, {".destinationRules[]", "-L", "app\x1b[31m"}, {".proxies[].clusters[]", "--sort-by", ".name\x1b[31m"},
		{"-o", "foo\x1b[31m\nFAKE-LINE", "."}, {"--bogus\x1b[31m\nFAKE-LINE"}, {"bog\x1b[31mus"}, {".a\x1b[31m )"}, {".proxies[] | trace(\"http://reviews:9080/\")", "-o", "name"},
		{"wait", first + ".name | error", "--timeout", "2s"}, {"stats", "productpage-v1", "-o", "name"}, {"snapshot", "/nowhere\x1b[31m\nFAKE-LINE/x.tar.zst"},
	}...)
}

var colours = regexp.MustCompile("\x1b\\[[0-9;]*m")

// TestPoisonIsNotPrinted runs every command, in every output format, on a capture
// whose strings contain escape sequences and forged lines. None of these may
// reach standard output or standard error.
func TestPoisonIsNotPrinted(t *testing.T) {
	dir := program.Poisoned(t, unsafeText)
	commands := poisonedCommands(t)
	home := t.TempDir()
	n, shown := 0, 0
	for i, args := range commands {
		if !*full && i%7 != 0 {
			continue
		}
		n++
		var out, errs bytes.Buffer
		w := &process.World{
			Args: append([]string{"kubectl-meshq", "--snapshot", dir}, args...), In: strings.NewReader("1 2"), Out: &out, Err: &errs, OutTerminal: i%2 == 0, ErrTerminal: i%3 == 0,
			Now: time.Now, Sleep: func(context.Context, time.Duration) error { return nil }, Environ: []string{"HOME=" + home, "TERM=xterm"}, Dir: home,
		}
		code := plugin.Main(w)
		text := out.String()
		seq := len(args) > 1 && args[len(args)-1] == "--seq" && !w.OutTerminal
		if seq {
			text = strings.ReplaceAll(text, "\x1e", "")
		}
		if args[len(args)-1] == "-C" || w.OutTerminal {
			text = colours.ReplaceAllString(text, "")
		}
		for where, text := range map[string]string{"standard output": text, "standard error": errs.String()} {
			if at := strings.IndexFunc(text, isUnsafe); at >= 0 || !utf8.ValidString(text) {
				t.Errorf("%q: %s: at %d %.80q", args, where, at, text[max(at-20, 0):])
			}
			raw := args[len(args)-1] == "-r" || args[len(args)-1] == "-j" || strings.Contains(args[0], "halt_error") || strings.Contains(args[0], "| stderr") // these print the newlines of values
			if forged := strings.HasPrefix(text, "FAKE-LINE") || strings.Contains(text, "\nFAKE-LINE"); forged && !raw {
				t.Errorf("%q: %s: a forged line", args, where)
			}
		}
		if strings.Contains(out.String(), "FAKE-LINE") {
			shown++
		}
		if code > 6 || strings.Contains(errs.String(), "goroutine") {
			t.Errorf("%q: exit code %d: %.200s", args, code, errs.String())
		}
	}
	t.Logf("%d command lines, of which %d show the poison", n, shown)
	if shown < n/10 {
		t.Errorf("only %d of %d show any of the poison: it tries nothing", shown, n)
	}
}

// TestPoisonIsNotShownByExternalDiffs compares two captures with an external
// diff program. The captures contain unsafe text, which must not be in the
// files that the program reads.
func TestPoisonIsNotShownByExternalDiffs(t *testing.T) {
	if _, err := exec.LookPath("diff"); err != nil {
		t.Skip("no diff here")
	}
	home, other := t.TempDir(), program.Poisoned(t, unsafeText)
	dumps, _ := filepath.Glob(filepath.Join(other, "proxies", "*", "config_dump.json"))
	for _, path := range dumps {
		text, err := os.ReadFile(path)
		if err == nil {
			err = os.WriteFile(path, bytes.ReplaceAll(text, []byte(`"connect_timeout":"10s"`), []byte(`"connect_timeout":"11s"`)), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var out, errs bytes.Buffer
	w := &process.World{
		Args: []string{"kubectl-meshq", "--snapshot", program.Poisoned(t, unsafeText), "diff", "--against", other, "--sections", "clusters"}, In: strings.NewReader(""), Out: &out, Err: &errs, Now: time.Now,
		Environ: []string{"HOME=" + home, "KUBECTL_EXTERNAL_DIFF=diff -r -U30"}, Dir: home,
	}
	if code := plugin.Main(w); code != 1 || !strings.Contains(out.String(), "FAKE-LINE") {
		t.Fatalf("exit code %d: %s%s", code, out.String(), errs.String())
	}
	text := out.String() + errs.String()
	if at := strings.IndexFunc(text, isUnsafe); at >= 0 || strings.Contains(text, "\nFAKE-LINE") {
		t.Errorf("at %d: %.200q", at, text[max(at-20, 0):])
	}
}

// isUnsafe reports whether a character can affect a terminal, or can end a
// line for a program that reads the output.
func isUnsafe(r rune) bool {
	return r != '\n' && r != '\t' && unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control) || r == '\u200b' || r == '\ufeff'
}
