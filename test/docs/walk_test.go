package docs

import (
	"os"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/test/program"
)

// TestWalk runs every command of docs/walk.md and compares its output with the
// page.
func TestWalk(t *testing.T) {
	text, err := os.ReadFile("docs/walk.md")
	if err != nil {
		t.Fatal(err)
	}
	inBlock, command, shown := false, "", []string(nil)
	var ran []string
	check := func() {
		if command == "" {
			return
		}
		ran = append(ran, command)
		if missing := missingPiece(program.Transcript(t, program.Words(strings.TrimPrefix(command, "kubectl meshq "))), shown); missing != "" {
			t.Errorf("%s doesn't print, at its place,\n%s", command, missing)
		}
		command, shown = "", nil
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		next, isCommand := strings.CutPrefix(line, "$ ")
		switch {
		case line == "```console":
			inBlock = true
		case strings.HasPrefix(line, "```"):
			check()
			inBlock = false
		case inBlock && isCommand:
			check()
			command = next
		case inBlock:
			shown = append(shown, line)
		}
	}
	for _, step := range []string{ // the steps of Istio's page on debugging
		"proxy-status", "proxy-status details-v1", "proxy-config clusters", "proxy-config listeners", "-o json", "proxy-config routes", "--name http.80",
		"--fqdn productpage.default.svc.cluster.local", "proxy-config bootstrap",
	} {
		if !strings.Contains(strings.Join(ran, "\n"), step) {
			t.Errorf("%s is not walked", step)
		}
	}
	if len(ran) < 15 {
		t.Errorf("only %d commands were run", len(ran))
	}
}

// missingPiece returns the first piece of the text shown on the page that is
// missing from the printed text, or "" if there is none. On the page, a line
// "..." means any number of lines.
func missingPiece(printed string, shown []string) string {
	rest, anywhere := printed, false
	var piece []string
	fits := func(last bool) bool {
		text := strings.Join(piece, "\n")
		if len(piece) > 0 {
			text += "\n"
		}
		at := strings.Index("\n"+rest, "\n"+text)
		if last && !anywhere {
			at = map[bool]int{true: 0, false: -1}[rest == text]
		} else if last {
			at = len(rest) - len(text)
			if !strings.HasSuffix("\n"+rest, "\n"+text) {
				at = -1
			}
		}
		if at < 0 || at > 0 && !anywhere {
			return false
		}
		rest, anywhere, piece = rest[at+len(text):], true, nil
		return true
	}
	for _, line := range shown {
		if line != "..." {
			piece = append(piece, line)
			continue
		}
		if !fits(false) {
			return strings.Join(piece, "\n")
		}
	}
	if len(shown) > 0 && shown[len(shown)-1] == "..." {
		return ""
	}
	if !fits(true) {
		return strings.Join(piece, "\n")
	}
	return ""
}

func TestMissingPiece(t *testing.T) {
	for _, c := range []struct {
		printed, shown string
		missing        string
	}{
		{"a\nb\n", "a\nb", ""},
		{"a\nb\n", "a", "a"},
		{"a\nb\n", "a\n...", ""},
		{"a\nb\nc\n", "a\n...\nc", ""},
		{"a\nb\nc\n", "...\nb\n...", ""},
		{"a\nb\nc\n", "...\nb", "b"},
		{"a\nb\nc\n", "b\n...", "b"},
		{"a\nb\nc\n", "...\nc\n...\nb\n...", "b"},
		{"ab\n", "...\nb", "b"},
		{"", "a", "a"},
	} {
		if got := missingPiece(c.printed, strings.Split(c.shown, "\n")); got != c.missing {
			t.Errorf("%q shown as %q: %q", c.printed, c.shown, got)
		}
	}
}
