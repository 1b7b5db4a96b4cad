//go:build unix

package screens

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// screens are the command lines whose screens are compared with golden files.
var screens = []struct{ name, line string }{
	{"status", "kubectl-meshq --snapshot demo"},
	{"check", "kubectl-meshq --snapshot demo check --severity warning"},
	{"clusters", "kubectl-meshq --snapshot demo clusters --fqdn ratings"},
	{"routes", "kubectl-meshq --snapshot demo routes --name 9080"},
	{"listeners", "kubectl-meshq --snapshot demo listeners --port 9080"},
	{"endpoints", "kubectl-meshq --snapshot demo endpoints reviews-v1"},
	{"secrets", "kubectl-meshq --snapshot demo secrets"},
	{"certs", "kubectl-meshq --snapshot demo certs --within 72h"},
	{"describe", "kubectl-meshq --snapshot demo describe svc/ratings"},
	{"services", "kubectl-meshq --snapshot demo '.services[]'"},
	{"nothing", "kubectl-meshq --snapshot demo clusters --fqdn nowhere; kubectl-meshq --snapshot demo expiring; kubectl-meshq --snapshot demo -l app=nope"},
	{"list", "kubectl-meshq list"},
	{"graph", "kubectl-meshq --snapshot demo graph --from productpage-v1"},
	{"help", "kubectl-meshq help"},
	{"symptom", "kubectl-meshq help UC"},
	{"one", "kubectl-meshq --snapshot demo '.proxies[0]'"},
}

// widths are the widths of the terminals, in columns.
var widths = []int{80, 120, 200}

// TestScreens compares what a real terminal shows with golden screens, and
// checks that no line is wider than the terminal.
func TestScreens(t *testing.T) {
	for _, width := range widths {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			term := openTerminal(t, width, 90)
			for _, c := range screens {
				got := term.run(c.line, false)
				for line := range strings.Lines(got) {
					if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > width {
						t.Errorf("%s: %d characters: %s", c.name, n, line)
					}
				}
				if c.name == "list" || c.name == "help" { // their texts change with every query that is added
					continue
				}
				compare(t, fmt.Sprintf("%s.%d.txt", c.name, width), "$ "+c.line+"\n"+got)
			}
		})
	}
}

// TestScreensHaveColors checks that failing states are red and doubtful ones
// yellow, and that NO_COLOR prevents it.
func TestScreensHaveColors(t *testing.T) {
	colored := openTerminal(t, 120, 40).run("kubectl-meshq --snapshot demo status", true)
	for _, cell := range []string{"\x1b[31mERROR", "\x1b[33mSTALE"} {
		if !strings.Contains(colored, cell) {
			t.Errorf("no %q in\n%q", cell, colored)
		}
	}
	check := openTerminal(t, 120, 40).run("kubectl-meshq --snapshot demo check", true)
	for _, cell := range []string{"\x1b[31merror", "\x1b[33mwarning"} {
		if !strings.Contains(check, cell) {
			t.Errorf("no %q in\n%q", cell, check)
		}
	}
	plain := openTerminal(t, 120, 40, "NO_COLOR=1").run("kubectl-meshq --snapshot demo status", true)
	if strings.Contains(plain, "\x1b[31m") || strings.Contains(plain, "\x1b[33m") {
		t.Errorf("%q", plain)
	}
}

// TestPipesAndWideKeepEverything checks that a table on a pipe, and with -o wide,
// doesn't depend on the width of the terminal.
func TestPipesAndWideKeepEverything(t *testing.T) {
	if _, err := exec.LookPath("script"); err != nil {
		t.Skip("no script on PATH")
	}
	var outputs []string
	for _, width := range widths {
		term := openTerminal(t, width, 40)
		for _, c := range []struct{ file, line string }{
			{"pipe", "kubectl-meshq --snapshot demo routes 2>/dev/null | cat >"}, {"wide", "script -qec 'kubectl-meshq --snapshot demo status -o wide' /dev/null >"},
		} {
			path := filepath.Join(term.home, c.file)
			term.run(c.line+path, false)
			text, err := os.ReadFile(path)
			if err != nil || len(text) < 100 || strings.Contains(string(text), "…") {
				t.Errorf("%v: %s", err, text)
			}
			outputs = append(outputs, string(text))
		}
	}
	for i := range outputs {
		if outputs[i] != outputs[i%2] {
			t.Errorf("%s", cmp.Diff(outputs[i%2], outputs[i]))
		}
	}
}

func compare(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("test/screens/testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}
