package docs

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/test/program"
)

// TestIstioctlTableOfReadmeRuns runs the README's table of istioctl commands on
// the recorded mesh. An istioctl command must print the same as the plugin's
// own command beside it, and the query beside them must run. The table must
// have a row for each istioctl command that the plugin accepts.
func TestIstioctlTableOfReadmeRuns(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	quoted := regexp.MustCompile("`((?:[^`\\\\]|\\\\.)*)`")
	_, table, _ := strings.Cut(string(text), "| istioctl | kubectl meshq |")
	table, _, _ = strings.Cut(table, "\n\n")
	said := map[string]bool{}
	for _, row := range strings.Split(table, "\n")[2:] {
		cells := strings.Split(strings.ReplaceAll(row, `\|`, "\x00"), "|")
		var first [3]string
		for i := range first {
			if m := quoted.FindStringSubmatch(cells[i+1]); m != nil {
				first[i] = strings.ReplaceAll(m[1], "\x00", "|")
			}
		}
		theirs, ours, query := first[0], first[1], first[2]
		run := func(words string) string {
			words = strings.ReplaceAll(words, "POD", "reviews-v1-7f99cc4496-gdxfn.default")
			out, errs, code := program.Run(t, append(strings.Fields(words), "--snapshot", "demo")...)
			if code != 0 && !(code == 6 && (strings.Contains(errs, "not in the snapshot") || strings.Contains(errs, "verdict is unknown"))) && !(code == 2 && strings.Contains(errs, "a recorded mesh can't be changed")) {
				t.Errorf("%s: exit code %d: %s", words, code, errs)
			}
			return out + errs
		}
		got := run(ours)
		if theirs != "" {
			fields := strings.Fields(theirs)
			said[strings.Join(fields[:min(2, len(fields))], " ")] = true
			// eds has other columns than the plugin's own command
			if want := run(theirs); want != got && !strings.HasPrefix(theirs, "proxy-config eds") {
				t.Errorf("%s:\n%s%s:\n%s", theirs, want, ours, got)
			}
		}
		if !strings.HasPrefix(query, ".") {
			continue
		}
		if _, errs, code := program.Run(t, "--snapshot", "demo", "-q", query); code != 0 || errs != "" {
			t.Errorf("%s: exit code %d: %s", query, code, errs)
		}
	}
	help, _, _ := program.Run(t, "help", "istioctl")
	for line := range strings.Lines(help) {
		words := strings.Fields(line)
		if len(words) < 3 || words[0] != "istioctl" {
			continue
		}
		if strings.HasPrefix(words[2], "kubectl") {
			words[2] = "" // the command is a single word
		}
		family, _, _ := strings.Cut(words[1], "|")
		names := strings.Split(words[2], "|")
		found := false
		for _, name := range names {
			found = found || said[strings.TrimSpace(family+" "+name)]
		}
		if !found {
			t.Errorf("README has no row for %s", strings.TrimSpace(line))
		}
	}
}
