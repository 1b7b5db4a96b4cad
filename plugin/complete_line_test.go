package plugin

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/plugin/shell"
)

// TestCompleteLine checks the completions of a command line at its end, as the user
// typed it, with open quotes.
func TestCompleteLine(t *testing.T) {
	for _, c := range []struct {
		shell, line string // "|" marks the start of the text that the completion replaces
		options     string
		want        []string // a leading "…" means that other completions are allowed too
	}{
		{"bash", `kubectl meshq --snapshot demo '|.proxies[] | select(.rds=="STALE") | .vers`, "nospace",
			[]string{`.proxies[] | select(.rds=="STALE") | .version`, `.proxies[] | select(.rds=="STALE") | .version `}}, // two completions, so that bash doesn't close the quote
		{"zsh", `kubectl meshq --snapshot demo '|.proxies[] | select(.rds=="STALE") | .vers`, "nospace",
			[]string{`.proxies[] | select(.rds=="STALE") | .version` + "\t" + `version  (the Istio version that the proxy reports)`}},
		{"bash", `kubectl meshq --snapshot demo "|.proxies[] | select(.rds==\"SY`, "nospace",
			[]string{`.proxies[] | select(.rds==\"SYNCED\"`, `.proxies[] | select(.rds==\"SYNCED\" `}},
		{"bash", `kubectl meshq --snapshot demo |.proxies[].loc`, "nospace", []string{`.proxies[].locality`}},
		{"zsh", `kubectl meshq --snapshot demo |.proxies\[\].loc`, "nospace", []string{`.proxies\[\].locality` + "\tlocality  ({region, zone, subZone})"}},
		{"bash", `kubectl meshq --snapshot demo .proxies[]\|select\(.rds==|\"SY`, "nospace", []string{`\"SYNCED\"`}}, // "=" starts a new word in bash
		{"bash", `kubectl meshq --snapshot demo .pil|`, "nospace", []string{"ots"}},
		{"bash", `kubectl meshq --snapshot demo --query='|.pil`, "nospace", []string{".pilots", ".pilots "}},
		{"bash", `kubectl meshq --snapshot demo --query=|.pil`, "nospace", []string{".pilots"}},
		{"bash", `kubectl meshq --snapshot demo -Q '|.pil`, "nospace", []string{".pilots", ".pilots "}},
		{"bash", `kubectl meshq --snapshot demo '|.proxy("reviews-v1").clu`, "nospace", []string{`.proxy("reviews-v1").cluster("`, `.proxy("reviews-v1").clusterID`, `.proxy("reviews-v1").clusters`}},
		{"bash", `kubectl meshq --snapshot demo '|.pilots[] | "a'\''b", .vers`, "nospace", []string{`.pilots[] | "a'\''b", .version`, `.pilots[] | "a'\''b", .version `}},
		{"bash", "kubectl meshq --snapshot demo '|.proxies[]\n  | .vers", "nospace", []string{"….proxies[]\n  | .version"}},
		{"bash", `kubectl meshq --snapshot $SNAP |.pil`, "nospace", []string{".pilots"}},
		{"bash", `kubectl meshq --snapshot ${SNAP} "|.pil`, "nospace", []string{"….pilots"}},
		{"bash", `kubectl meshq --arg x y --snapshot demo '|$`, "nospace", []string{"…$x", "…$ENV"}},
		{"bash", `kubectl meshq --snapshot demo status |reviews-v1`, "", []string{theReviews}},
		{"bash", `kubectl meshq --snapshot demo status '|reviews-v1`, "", []string{theReviews}},
		{"bash", `kubectl meshq --snapshot demo trace productpage-v1 http:|//rev`, "nospace", []string{"//reviews.default:9080/"}},
		{"bash", `kubectl meshq trace --snapshot demo productpage-v1 |h`, "nospace", []string{"http://", "https://"}},
		{"bash", `kubectl meshq check --only stale,|exp`, "", []string{"expiring"}},
		{"bash", `kubectl meshq clusters --snapshot demo --fqdn |rat`, "", []string{"ratings.default.svc.cluster.local"}},
		{"bash", `kubectl meshq -o |jsonp`, "", []string{"jsonpath=", "jsonpath-as-json=", "jsonpath-file="}},
		{"bash", `kubectl meshq --snapshot |d`, "files", nil},
		{"bash", `kubectl meshq --library-path |d`, "folders", nil},
		{"bash", `kubectl meshq . > |d`, "files", nil},
		{"bash", `kubectl meshq stat|`, "", []string{"s", "us"}},
		{"bash", `kubectl meshq $'|.pil`, "", nil},
	} {
		before, tail, _ := strings.Cut(c.line, "|")
		if i := strings.Index(c.line, `\|`); i >= 0 && i < len(before)+1 { // an escaped pipe is part of the query and not the mark
			n := strings.Index(c.line[i+2:], "|")
			before, tail = c.line[:i+2+n], c.line[i+3+n:]
		}
		var out, errs bytes.Buffer
		w := &process.World{Args: []string{"kubectl-meshq", "__complete-line", c.shell, "2", "9", "100", tail, before + tail}, Out: &out, Err: &errs, Now: time.Now, Environ: []string{"SNAP=demo"}}
		code := Main(w)
		got := strings.Split(strings.TrimSuffix(out.String(), "\x1e"), "\x1e")
		options := got[0]
		got = got[1:]
		ok := code == process.ExitOK && options == c.options && errs.Len() == 0
		if some := slices.ContainsFunc(c.want, func(s string) bool { return strings.HasPrefix(s, "…") }); some {
			for _, want := range c.want {
				ok = ok && slices.Contains(got, strings.TrimPrefix(want, "…"))
			}
		} else {
			ok = ok && slices.Equal(got, c.want)
		}
		if !ok {
			t.Errorf("%s: %s: exit code %d: %q %q, want %q %q %s", c.shell, c.line, code, options, got, c.options, c.want, errs.String())
		}
	}
}

// TestCompleteLineListed checks that a list of completions shows only the text
// after the last dot, and not the whole query.
func TestCompleteLineListed(t *testing.T) {
	var out bytes.Buffer
	line := `kubectl-meshq --snapshot demo '.proxies[].clu`
	w := &process.World{Args: []string{"kubectl-meshq", "__complete-line", "bash", "1", "63", "50", ".proxies[].clu", line}, Out: &out, Err: &out, Now: time.Now}
	const want = "nospace|cluster(\"  (cluster(name): the clusters of that…)|clusterID  (Istio's id of the cluster that it r…)|clusters   (its clusters, the destinations of i…)|"
	if code := Main(w); code != process.ExitOK || strings.ReplaceAll(out.String(), "\x1e", "|") != want {
		t.Errorf("exit code %d: %s", code, strings.ReplaceAll(out.String(), "\x1e", "|"))
	}
}

func TestCompleteLineRefused(t *testing.T) {
	for _, args := range [][]string{{}, {"bash", "x", "", "80", "", ""}, {"bash", "1", "", "x", "", ""}, {"bash", "1", "", "80", "b", "a"}} {
		var out bytes.Buffer
		if code := Main(&process.World{Args: append([]string{"kubectl-meshq", "__complete-line"}, args...), Out: &out, Err: &out, Now: time.Now}); code != process.ExitUsage || out.Len() > 0 {
			t.Errorf("%q: exit code %d: %s", args, code, out.String())
		}
	}
}

func TestShellWords(t *testing.T) {
	env := func(name string) string { return map[string]string{"HOME": "/home/me", "A": "x y"}[name] }
	for line, want := range map[string]string{
		`a b`:              `a|b`,
		`a b `:             `a|b|`,
		`a 'b c`:           `a|b c'`,
		`a 'b c' "d\"e`:    `a|b c|d"e"`,
		`a "b\n\$c" e`:     `a|b\n$c|e`,
		`a b\ c`:           `a|b c`,
		`a b\`:             `a|b`,
		`a'b'"c"d`:         `abcd`,
		`~/x $A ${A}z $B `: `/home/me/x|x y|x yz|$B|`,
		`a $A`:             `a|$A`,
		`a ~/x`:            `a|~/x`,
		`a >b c`:           `a|>b|c`,
		`a $'b\'c' d`:      `a||d`,
		`'' b`:             `|b`,
		`"$A" b`:           `x y|b`,
		`${`:               `${`,
		`"${A`:             `${A"`,
	} {
		var got []string
		for _, w := range shell.ShellWords(line, env) {
			text := w.Text
			if w.Redirect {
				text = ">" + text
			}
			if w.Quote != 0 {
				text += string(rune(w.Quote))
			}
			got = append(got, text)
		}
		if strings.Join(got, "|") != want {
			t.Errorf("%s: %s, want %s", line, strings.Join(got, "|"), want)
		}
	}
}

// FuzzRequoted checks that ShellWords reads a quoted text back unchanged, whichever
// quote is open.
func FuzzRequoted(f *testing.F) {
	f.Add(`.proxies[] | select(.a == "b'c$d\e")`)
	f.Fuzz(func(t *testing.T, text string) {
		if strings.ContainsAny(text, "\n\x00") || text == "" {
			return
		}
		for _, quote := range []byte{'\'', '"', 0} {
			line := shell.Requoted(text, quote)
			if quote != 0 {
				line = string(rune(quote)) + line + string(rune(quote))
			}
			words := shell.ShellWords("x "+line, func(string) string { return "" })
			if last := words[len(words)-1]; len(words) != 2 || last.Text != text {
				t.Fatalf("%q becomes %s, which reads %q", text, line, last.Text)
			}
		}
	})
}

func TestMemoryPath(t *testing.T) {
	for want, environ := range map[string][]string{
		"/x/meshq/names":                      {"XDG_CACHE_HOME=/x", "HOME=/h"},
		"/h/.cache/meshq/names":               {"XDG_CACHE_HOME=x", "HOME=/h"},
		filepath.Join("/l", "meshq", "names"): {"LOCALAPPDATA=/l"},
		"":                                    nil,
	} {
		if got := cacheFolder(&process.World{Environ: environ}); got != want {
			t.Errorf("%q: %s, want %s", environ, got, want)
		}
	}
}
