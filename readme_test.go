package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReadme runs every command of the README's console blocks and holds what
// it prints against what the README says; -update rewrites the README.
func TestReadme(t *testing.T) {
	const file = "README.md"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	ran := 0
	inBlock := false
	for line := range strings.Lines(string(text)) {
		switch {
		case strings.TrimSpace(line) == "```console": // "console live" is for the end-to-end tests
			inBlock = true
		case strings.HasPrefix(line, "```"):
			inBlock = false
		case inBlock && strings.HasPrefix(line, "$ kubectl meshq"):
			ran++
			fmt.Fprint(&out, line, transcript(t, words(strings.TrimPrefix(strings.TrimSpace(line), "$ kubectl meshq "))))
			continue
		case inBlock && !strings.HasPrefix(line, "$ "):
			continue // what was printed: written anew
		}
		out.WriteString(line)
	}
	if ran < 10 {
		t.Errorf("only %d commands were run", ran)
	}
	if diff := cmp.Diff(string(text), out.String()); diff != "" {
		if *update {
			if err := os.WriteFile(file, []byte(out.String()), 0o644); err != nil {
				t.Fatal(err)
			}
			return
		}
		t.Errorf("README.md says otherwise (-README +meshq; make golden rewrites it):\n%s", diff)
	}
}

// transcript is what a command prints, stderr after stdout, and its exit code
// if that is not 0.
func transcript(t *testing.T, args []string) string {
	t.Helper()
	out, errs, code := meshq(t, args...)
	s := out + errs
	if s != "" && !strings.HasSuffix(s, "\n") {
		s += "\n"
	}
	if code != 0 && !strings.Contains(s, "exit code") {
		s += fmt.Sprintf("(exit code %d)\n", code)
	}
	return s
}

// words splits a command as a shell would, of which it knows the quotes.
func words(line string) []string {
	var all []string
	var word strings.Builder
	quote, in := rune(0), false
	for _, c := range line {
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '\'' || c == '"'):
			quote, in = c, true
		case quote == 0 && c == ' ':
			if in {
				all = append(all, word.String())
			}
			word.Reset()
			in = false
		default:
			word.WriteRune(c)
			in = true
		}
	}
	if in {
		all = append(all, word.String())
	}
	return all
}
